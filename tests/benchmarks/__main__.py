"""``make bench``: every comparison, one after the other, as ratios; `bench_overload` is asked for by name."""

from tests.benchmarks import (
    bench_batch,
    bench_booking,
    bench_certificate,
    bench_first_paint,
    bench_mypage,
    bench_postgresql,
    bench_verify,
)

for bench in (
    bench_booking,
    bench_postgresql,
    bench_mypage,
    bench_first_paint,
    bench_certificate,
    bench_batch,
    bench_verify,
):
    bench.main()
