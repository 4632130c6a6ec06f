module github.com/ringfence/ringfence/bench/workload

go 1.26.0

require github.com/ringfence/ringfence v0.0.0

replace github.com/ringfence/ringfence => ../..
