module github.com/ringfence/ringfence/bench/netset

go 1.26.0

require (
	github.com/np-guard/models v0.5.7
	github.com/ringfence/ringfence v0.0.0
	github.com/ringfence/ringfence/bench/workload v0.0.0
)

replace (
	github.com/ringfence/ringfence => ../..
	github.com/ringfence/ringfence/bench/workload => ../workload
)
