module github.com/ringfence/ringfence/bench/rudd

go 1.26.0

require (
	github.com/dalzilio/rudd v1.1.1-0.20230806153452-9e08a6ea8170
	github.com/ringfence/ringfence v0.0.0
	github.com/ringfence/ringfence/bench/workload v0.0.0
)

replace (
	github.com/ringfence/ringfence => ../..
	github.com/ringfence/ringfence/bench/workload => ../workload
)
