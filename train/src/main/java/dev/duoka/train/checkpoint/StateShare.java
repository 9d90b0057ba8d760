package dev.duoka.train.checkpoint;

import dev.duoka.model.weight.CheckpointTensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What of a state one process holds and writes: whole tensors, neighbours in the layout.
 *
 * @param start where they start in the layout, in elements
 * @param length of all of them
 * @param tensors in the order of the layout
 * @param buffers the lengths of state buffers, by their names in a checkpoint
 */
record StateShare(
    long start, long length, List<CheckpointTensor> tensors, Map<String, Long> buffers) {
  /** Equal shares as far as whole tensors go; the last one has the buffers. */
  static List<StateShare> of(StateLayout layout, int processes) {
    List<List<CheckpointTensor>> dealt = new ArrayList<>();
    for (int process = 0; process < processes; process++) {
      dealt.add(new ArrayList<>());
    }
    for (CheckpointTensor tensor : layout.inOrder()) {
      double middle = (tensor.offset() + tensor.elements() / 2.0) / layout.length();
      dealt.get(Math.min(processes - 1, (int) (middle * processes))).add(tensor);
    }
    List<StateShare> shares = new ArrayList<>();
    long start = 0;
    for (List<CheckpointTensor> tensors : dealt) {
      long length = tensors.stream().mapToLong(CheckpointTensor::elements).sum();
      if (!tensors.isEmpty() && tensors.getFirst().offset() != start) {
        throw new IllegalStateException(tensors.getFirst() + " does not follow the one before it");
      }
      boolean last = shares.size() == processes - 1;
      shares.add(
          new StateShare(start, length, List.copyOf(tensors), last ? layout.buffers() : Map.of()));
      start += length;
    }
    return shares;
  }

  /** Where it ends in the layout. */
  long end() {
    return start + length;
  }

  /**
   * The rows of a weight that are in it.
   *
   * @param weightStart where the weight starts in the layout
   */
  Rows rowsOf(long weightStart, long rows, long columns) {
    long first = Math.clamp((start - weightStart) / columns, 0, rows);
    long end = Math.clamp((end() - weightStart) / columns, 0, rows);
    return new Rows(first, Math.max(0, end - first), weightStart + first * columns - start);
  }

  /**
   * Neighbouring rows of a weight.
   *
   * @param place where they start in the share, in elements
   */
  record Rows(long first, long count, long place) {}

  /** Where a tensor of this share starts in it, by its name in a checkpoint. */
  Map<String, CheckpointTensor> places() {
    Map<String, CheckpointTensor> places = new TreeMap<>();
    for (CheckpointTensor tensor : tensors) {
      places.put(
          tensor.name(),
          new CheckpointTensor(tensor.name(), tensor.offset() - start, tensor.shape()));
    }
    return places;
  }
}
