package dev.duoka.comm.tcp;

import dev.duoka.comm.OrderedSum;
import dev.duoka.comm.OrderedSum.Stretch;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;

/**
 * The sum of the same stretch of all ranks' tensors, in the order of the ranks, a chunk at a time:
 * while one is added, the next comes in.
 *
 * @param call in which the others offer theirs
 * @param mine this rank's stretch, flat, on the CPU
 * @param target of the same length; may be {@code mine}
 * @param start where the stretch lies in what this rank is offered, in elements
 */
record RemoteSum(Collective call, Tensor mine, Tensor target, long start) {
  /** Elements of each rank that come in at once. */
  static final long CHUNK = 1L << 18;

  /** A chunk of all other ranks, on its way. */
  private record Incoming(List<Tensor> places, List<Pull> pulls) {}

  /** Computes the sum. The tensors that it needs beside the target belong to the open scope. */
  void compute() {
    long length = mine.elements();
    long chunk = Math.min(CHUNK, length);
    if (length == 0) {
      return;
    }
    List<Tensor> places = places(chunk);
    List<Tensor> free = length > chunk ? places(chunk) : places;
    Incoming next = fetch(places, 0, chunk);
    for (long done = 0; done < length; done += chunk) {
      long now = Math.min(chunk, length - done);
      Incoming current = next;
      call.await(current.pulls());
      long left = length - done - now;
      if (left > 0) {
        next = fetch(free, done + now, Math.min(chunk, left));
        free = current.places();
      }
      add(current, done, now);
    }
  }

  private void add(Incoming current, long done, long now) {
    try (Scope _ = Scope.open()) { // of views: the places stay until nobody writes to them
      List<Tensor> parts = new ArrayList<>();
      for (int rank = 0; rank < call.size(); rank++) {
        parts.add(
            rank == call.self()
                ? Views.narrow(mine, 0, done, now)
                : Views.narrow(current.places().get(rank), 0, 0, now));
      }
      OrderedSum.into(Views.narrow(target, 0, done, now), parts, new Stretch(0, now));
    }
  }

  private List<Tensor> places(long length) {
    Dtype dtype = mine.dtype();
    List<Tensor> places = new ArrayList<>();
    for (int rank = 0; rank < call.size(); rank++) {
      // This rank's own place stays unused: its numbers are in the tensor already.
      places.add(Tensors.empty(dtype, Device.CPU, rank == call.self() ? 0 : length));
    }
    return places;
  }

  private Incoming fetch(List<Tensor> places, long from, long length) {
    long bytes = mine.dtype().bytes();
    List<Pull> pulls = new ArrayList<>();
    for (int rank = 0; rank < call.size(); rank++) {
      if (rank != call.self()) {
        pulls.add(
            call.fetch(
                rank,
                (start + from) * bytes,
                HostCopy.memoryOf(places.get(rank)).asSlice(0, length * bytes)));
      }
    }
    return new Incoming(places, pulls);
  }
}
