// Package modeltest generates estates for tests and benchmarks: large ones of a realistic shape ([Scale]), and small crowded ones at
// random ([Random]), which [Shrink] reduces to what a failure needs.
package modeltest
