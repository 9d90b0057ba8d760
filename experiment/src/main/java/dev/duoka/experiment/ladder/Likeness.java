package dev.duoka.experiment.ladder;

import java.util.List;

/**
 * What {@code duoka selftest} says of a mesh.
 *
 * @param holds whether a small likeness of the run computes there what one rank does
 * @param work what was trained, in words
 * @param differing what differs, the worst first
 * @param exchanged what ranks exchanged, for example {@code all-reduce along data by copies}
 */
public record Likeness(boolean holds, String work, List<String> differing, List<String> exchanged) {
  public Likeness {
    differing = List.copyOf(differing);
    exchanged = List.copyOf(exchanged);
  }
}
