"""Medians, spreads and ratios of samples."""


def quantile(samples, q):
    """0.5 is the median; of an even number of samples the mean of the two in the middle."""
    if not samples:
        raise ValueError("no samples")
    ordered = sorted(samples)
    at = q * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def median(samples):
    return quantile(samples, 0.5)


def summary(samples):
    """What is kept of samples: median, least, greatest, p99, how many."""
    return {"n": len(samples), "median": median(samples), "min": min(samples),
            "max": max(samples), "p99": quantile(samples, 0.99)}


def paired_ratios(samples, base):
    """Round by round, because what disturbs a machine disturbs both sides of one round."""
    if len(samples) != len(base):
        raise ValueError("rounds without their counterpart")
    return [a / b for a, b in zip(samples, base)]


def turns(count, rounds):
    """The order of sides in each round: forwards, then backwards, and so on, so that none is always
    first, and none always behind the same one.
    """
    forwards = list(range(count))
    return [forwards if number % 2 == 0 else forwards[::-1] for number in range(rounds)]
