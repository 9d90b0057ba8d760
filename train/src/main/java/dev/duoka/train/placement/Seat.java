package dev.duoka.train.placement;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * Where a rank is.
 *
 * @param rank its number in the world
 * @param process that holds it
 * @param node the machine, from 0; the process's own number where machines are not known
 * @param gpu CUDA's number of its GPU; empty on the CPU, or where none is known
 * @param index the same GPU's number in the topology
 * @param card the name of the GPU, where it is known
 * @param uuid the identity of the GPU as nvidia-smi prints it; empty on other machines than this
 */
public record Seat(
    int rank,
    int process,
    int node,
    OptionalInt gpu,
    OptionalInt index,
    Optional<String> card,
    Optional<String> uuid) {
  /** On the CPU, or on a device that is not known. */
  static Seat without(int rank, int process, int node) {
    return new Seat(
        rank,
        process,
        node,
        OptionalInt.empty(),
        OptionalInt.empty(),
        Optional.empty(),
        Optional.empty());
  }
}
