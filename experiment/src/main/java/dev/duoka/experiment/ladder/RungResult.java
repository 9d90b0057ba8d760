package dev.duoka.experiment.ladder;

import java.util.List;
import java.util.Optional;

/**
 * What a rung has shown.
 *
 * @param held whether its ranks hold the model
 * @param parity with the rung below; empty on the first, and where one of the two does not hold the
 *     model
 * @param likeness what a small likeness of the run on its mesh has shown; empty where that was not
 *     asked
 * @param bus GB/s on the busiest link that the slowest collective of its ranks has carried; NaN
 *     where it was not measured
 * @param memory empty where it does not hold the model, or did not come so far
 * @param speed the same
 * @param notes what is worth knowing and no fault
 * @param fault why it fails; empty where it does not
 */
public record RungResult(
    Rung rung,
    boolean held,
    Optional<Parity> parity,
    Optional<Likeness> likeness,
    double bus,
    Optional<RungMemory> memory,
    Optional<RungSpeed> speed,
    List<String> notes,
    Optional<Fault> fault) {
  public RungResult {
    notes = List.copyOf(notes);
  }
}
