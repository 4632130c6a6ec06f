module github.com/ringfence/ringfence/bench/z3

go 1.26.0

require (
	github.com/ringfence/ringfence v0.0.0
	github.com/ringfence/ringfence/bench/workload v0.0.0
)

replace (
	github.com/ringfence/ringfence => ../..
	github.com/ringfence/ringfence/bench/workload => ../workload
)
