package dev.duoka.tensor.nf4;

import java.util.ArrayList;
import java.util.List;

/**
 * How a weight, or what is held of it, lies in 4 bits: its pieces one behind the other. A weight
 * may be made of several tensors that are quantized each for itself.
 */
public final class Nf4Layout {
  /**
   * A piece and where it is.
   *
   * @param tensor which of the weight's tensors it is of
   * @param at where its bytes start
   * @param target where its first element lies in what is held, in row-major order
   * @param targetPitch how far its rows are apart there
   */
  public record Place(int tensor, Nf4Piece piece, long at, long target, long targetPitch) {}

  /**
   * Like pieces that are equally far apart, in bytes and elements.
   *
   * @param first of them
   */
  record Run(Place first, int count, long bytes, long elements) {}

  private final List<Place> places = new ArrayList<>();
  private final List<Run> runs = new ArrayList<>();
  private long bytes;
  private long elements;

  /**
   * Adds a piece behind the others.
   *
   * @param target where its first element lies in what is held
   * @param targetPitch how far its rows are apart there; without effect where they touch
   */
  public void add(int tensor, Nf4Piece piece, long target, long targetPitch) {
    long apart = piece.rows() == 1 ? piece.width() : targetPitch;
    Place place = new Place(tensor, piece, bytes, target, apart);
    places.add(place);
    bytes += piece.bytes();
    elements += piece.size();
    if (!runs.isEmpty() && continues(runs.getLast(), place)) {
      Run run = runs.removeLast();
      Place first = run.first();
      runs.add(
          new Run(
              first,
              run.count() + 1,
              piece.bytes(),
              run.count() == 1 ? target - first.target() : run.elements()));
    } else {
      runs.add(new Run(place, 1, 0, 0));
    }
  }

  private static boolean continues(Run run, Place place) {
    Place first = run.first();
    return first.piece().equals(place.piece())
        && first.targetPitch() == place.targetPitch()
        && (run.count() == 1 || place.target() == first.target() + run.count() * run.elements());
  }

  /** All pieces, in the order of their bytes. */
  public List<Place> places() {
    return List.copyOf(places);
  }

  List<Run> runs() {
    return List.copyOf(runs);
  }

  /** All bytes. */
  public long bytes() {
    return bytes;
  }

  /** The elements that are held. */
  public long elements() {
    return elements;
  }
}
