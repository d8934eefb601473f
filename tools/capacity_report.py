"""The document that `make capacity` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench_sections import number, table
from bench_stats import MB

if TYPE_CHECKING:
    from capacity import Plan

GB = 1000 * MB


def markdown(plan: Plan) -> str:
    """Render a plan."""
    parts = (_head(plan), _machines(plan), _one_machine(plan), _check(plan), _limits(plan), AGAIN)
    return "\n\n".join(parts) + "\n"


def _head(plan: Plan) -> str:
    measured = plan.measured
    mix = ", ".join(f"{one.megapixels:g}" for one in measured.pictures)
    return (
        "# Capacity\n\n"
        f"How many machines a load takes. From what `make bench` measured on {measured.date} "
        f"({measured.target}, {measured.cores} cores, {measured.processor}; pictures of {mix} "
        "megapixels in equal parts) and a simulation of the queue. `make capacity` wrote this "
        "page; what it was told is in [capacity.json](capacity.json)."
    )


def _machines(plan: Plan) -> str:
    rows = []
    for rate in plan.rates:
        pooled = plan.machines(rate, plan.pooled_rate)
        alone = plan.machines(rate, plan.alone_rate)
        rows.append(
            [
                number(rate),
                *(f"{needed:,} + {total - needed:,}" for needed, total in (pooled, alone)),
                number(pooled[1] * plan.measured.cores),
                number(pooled[1] * plan.measured.memory_bytes / GB, 1),
                *_network(plan, rate),
            ]
        )
    header = [
        "pictures a second",
        "machines + spare, least busy first",
        "machines + spare, at random",
        "cores",
        "memory, GB",
        "in, MB/s",
        "out, MB/s",
    ]
    return (
        "## Machines\n\n"
        "Rates are those of the busiest minutes. The promise: 95 of 100 answers within "
        f"{plan.goal.p95_s:g} s, at most {plan.goal.refusals:.1%} refused, and no machine planned "
        f"for more than {plan.goal.load:.0%} of what it can do: rounds of the benchmark differ by "
        "a few per cent, and tomorrow's pictures are larger. Spare is one machine, or "
        f"{plan.spare:.0%}, whichever is more, so that one may fail or be replaced.\n\n"
        f"{table(header, rows)}\n\n"
        f"A machine of {plan.measured.cores} cores is given {plan.pooled_rate:.2f} pictures a "
        "second where a balancer sends each picture to the least busy one (nginx: `least_conn`), "
        f"and {plan.alone_rate:.2f} where it chooses at random or the machine stands alone. Cores "
        "and memory are those of the first column of machines, spare ones included; memory is RSS "
        "at its peak under this mix."
    )


def _network(plan: Plan, rate: float) -> tuple[str, str]:
    pictures = plan.measured.pictures
    taken = sum(one.upload_bytes for one in pictures) / len(pictures)
    given = [one.answer_bytes for one in pictures]
    out = "–" if 0 in given else number(rate * sum(given) / len(given) / MB)
    return number(rate * taken / MB, 0 if rate > 10 else 1), out


def _one_machine(plan: Plan) -> str:
    measured = plan.measured
    rows = [
        [
            f"{load:.0%}",
            number(rate, 2),
            number(outcome.throughput, 2),
            *(number(outcome.percentile_s(percent), 2) for percent in (50, 95, 99)),
            f"{outcome.refusals:.1%}",
        ]
        for load, rate, outcome in plan.loads
    ]
    header = ["load", "asked/s", "answered/s", "p50 s", "p95 s", "p99 s", "refused"]
    longest = measured.queue / measured.throughput(measured.places)
    return (
        "## One machine\n\n"
        "Simulated: pictures arrive at random (Poisson) at one machine. Load is of what it can do "
        f"at most, {measured.throughput(measured.places):.2f} pictures a second.\n\n"
        f"{table(header, rows)}\n\n"
        f"The queue of {measured.queue} bounds the wait to about {longest:.1f} s, so that overload "
        f"is told by 503 in good time and not by the deadline of {measured.deadline_s:g} s."
    )


def _check(plan: Plan) -> str:
    rows, worst = [], {"throughput": 0.0, "p50": 0.0, "p95": 0.0}
    for loop, outcome in plan.loops:
        fitted = loop.clients <= plan.measured.places
        pairs = {
            "throughput": (loop.throughput, outcome.throughput),
            "p50": (loop.p50_ms, outcome.percentile_s(50) * 1000),
            "p95": (loop.p95_ms, outcome.percentile_s(95) * 1000),
        }
        cells = []
        for name, (found, predicted) in pairs.items():
            error = predicted / found - 1
            if not fitted:
                worst[name] = max(worst[name], abs(error))
            digits = 2 if name == "throughput" else 0
            cells += [number(found, digits), number(predicted, digits), f"{error:+.0%}"]
        rows.append(
            [f"{loop.clients}{' (fitted)' if fitted else ''}", number(loop.answers), *cells]
        )
    header = ["clients", "answers"]
    for name in ("pictures/s", "p50 ms", "p95 ms"):
        header += [name, "predicted", "off"]
    errors = ", ".join(f"{error:.0%} for {name}" for name, error in worst.items())
    return (
        "## Predicted and measured\n\n"
        "The same closed loops as in the benchmark, simulated. Rows up to the number of places "
        "gave the model its figures, how long a picture takes alone and how much those beside it "
        "slow it down; the others it has not seen.\n\n"
        f"{table(header, rows)}\n\n"
        f"Worst errors of what it had not seen: {errors}."
    )


def _limits(plan: Plan) -> str:
    measured = plan.measured
    factors = ", ".join(f"{factor:.2f}" for factor in measured.machine.slowdown)
    largest = number(measured.memory_largest_bytes / MB)
    return f"""## What this rests on

- One worker on {measured.cores} cores with {measured.places} places, as measured. While 1, 2, …
  pictures are worked on, each takes {factors} times as long as alone. A larger machine is counted
  as several of these; none was measured.
- The pictures are the mix of the benchmark, asked for as `universal`. Larger ones take longer
  ([bench.md](bench.md) has times by size), and `product` runs a larger network.
- Requests come independently of each other. Batches that arrive together need a longer queue, or
  clients that keep only a few requests under way.
- Who is refused does not come back, except in the closed loops. In earnest clients do: above 100 %
  load only more machines help.
- Reading forms, the network and the proxy take no time, places are handed out strictly in the
  order of arrival, and all machines are alike. A measured p95 above the predicted one means that
  one of these did not hold.
- Percentiles of the benchmark are those of the few answers in the table: a p95 of 100 answers
  rests on five of them.
- Memory is what this mix takes. The largest picture measured takes a server to {largest} MB: give
  a machine that and a quarter more.
- Thousands of machines are many pools side by side, each with a balancer, network and operators;
  only the number of machines is worked out here."""


AGAIN = """## Do it again

```sh
make bench                                       # on the machine you will use
make capacity RESULT=build/bench/result.json     # take its figures and write this page
make capacity CAPACITY='--p95 1 --rate 20 500'   # another promise, other rates
```"""
