package dev.duoka.parallel.state;

import dev.duoka.engine.parameter.Bucket;
import java.util.List;

/**
 * The buckets whose states live in host memory and pass through the device: of all in the order of
 * the forward pass the last, which hold a fraction of the weights at least. The next forward pass
 * goes through those whose states stay while these have their way to go.
 */
final class PassingBuckets {
  private final List<Bucket> passing;

  PassingBuckets(List<Bucket> all, double fraction) {
    double left = fraction * all.stream().mapToDouble(Bucket::length).sum();
    int first = all.size();
    while (first > 0 && left > 0) {
      first--;
      left -= all.get(first).length();
    }
    passing = List.copyOf(all.subList(first, all.size()));
  }

  boolean contain(Bucket bucket) {
    return passing.contains(bucket);
  }
}
