//! Nothing: the benchmarks are all there is to this package.
