// Package modeltest generates estates for tests and benchmarks: large ones of a realistic shape ([Scale]).
package modeltest
