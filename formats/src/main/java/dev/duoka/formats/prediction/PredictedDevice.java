package dev.duoka.formats.prediction;

import java.util.List;
import java.util.Map;

/**
 * A device, or the memory of a process on the CPU, that some ranks of a run have together.
 *
 * @param name for example {@code cuda:0}
 * @param ranks those that compute there
 * @param beside bytes that the driver counts there beside the ranks' tensors, by what they are for
 */
public record PredictedDevice(String name, List<Integer> ranks, Map<String, Long> beside) {
  public PredictedDevice {
    ranks = List.copyOf(ranks);
    beside = Map.copyOf(beside);
  }
}
