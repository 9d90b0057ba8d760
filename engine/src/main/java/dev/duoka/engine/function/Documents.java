package dev.duoka.engine.function;

import java.util.ArrayList;
import java.util.List;

/**
 * Where documents begin in the sequences of a batch, for attention that keeps them apart: a token
 * sees those before it in its own document alone.
 */
public final class Documents {
  private final List<List<Stretch>> sequences;

  /**
   * A document, or the part of it that lies in a sequence.
   *
   * @param start its first position
   * @param end behind its last
   */
  public record Stretch(int start, int end) {
    /** How many positions it has. */
    public int length() {
      return end - start;
    }

    /** What of it lies from {@code from} to before {@code to}; may be empty. */
    public Stretch within(int from, int to) {
      return new Stretch(Math.max(start, from), Math.min(end, to));
    }

    /** Whether nothing is in it. */
    public boolean isEmpty() {
      return end <= start;
    }
  }

  /**
   * Documents of sequences of equal length.
   *
   * @param starts of each sequence, ascending; that of the first may be left out
   */
  public Documents(List<List<Integer>> starts, int length) {
    sequences = starts.stream().map(of -> stretches(of, length)).toList();
  }

  private static List<Stretch> stretches(List<Integer> starts, int length) {
    List<Stretch> stretches = new ArrayList<>();
    int last = 0;
    for (int start : starts) {
      if (start > last) {
        stretches.add(new Stretch(last, start));
        last = start;
      }
    }
    stretches.add(new Stretch(last, length));
    return List.copyOf(stretches);
  }

  /** The documents of a sequence, in order. */
  public List<Stretch> of(int sequence) {
    return sequences.get(sequence);
  }

  /** How many sequences there are. */
  public int sequences() {
    return sequences.size();
  }

  /** Whether some sequence has several. */
  public boolean areSeveral() {
    return sequences.stream().anyMatch(of -> of.size() > 1);
  }

  /** Pairs of a token and one that it sees, roughly: half of the squares. */
  double pairs() {
    double pairs = 0;
    for (List<Stretch> sequence : sequences) {
      for (Stretch stretch : sequence) {
        pairs += 0.5 * stretch.length() * stretch.length();
      }
    }
    return pairs;
  }
}
