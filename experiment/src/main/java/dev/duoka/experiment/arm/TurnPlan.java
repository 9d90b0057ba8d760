package dev.duoka.experiment.arm;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * When which arm trains: after some steps that warm it up, blocks of a few steps, the arms in turn
 * and every other time in the opposite order, so that what changes slowly (a card's temperature)
 * weighs on all alike.
 *
 * @param first steps that were taken before
 * @param warmUp steps of each arm before the blocks
 * @param steps of each arm in blocks, a multiple of {@code block}
 * @param block steps of a block; the first one of each is not counted for speed
 */
public record TurnPlan(long first, int warmUp, int steps, int block) {
  /** The fewest blocks that an interval is worth something of. */
  static final int FEWEST_BLOCKS = 4;

  private static final int WARM_UP = 3;
  private static final int BLOCK = 5;

  /**
   * A plan.
   *
   * @throws DuokaException when there are too few steps for one
   */
  public static TurnPlan of(long first, int steps) {
    if (steps < FEWEST_BLOCKS * BLOCK) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "a trial of " + steps + " steps says nothing",
          "Give at least " + FEWEST_BLOCKS * BLOCK + "; 100 are usual");
    }
    return new TurnPlan(first, WARM_UP, steps / BLOCK * BLOCK, BLOCK);
  }

  /**
   * A turn.
   *
   * @param arm whose it is
   * @param until the steps that the arm has taken then, those before the trial among them
   */
  public record Turn(int arm, long until) {}

  public int blocks() {
    return steps / block;
  }

  /** Where the arms end. */
  public long last() {
    return first + warmUp + steps;
  }

  /** Where the blocks before one end. */
  private long before(int number) {
    return first + warmUp + (long) number * block;
  }

  /** Where they have warmed up. */
  public long warm() {
    return before(0);
  }

  /** How many steps lie before the second half. */
  public int firstHalf() {
    return blocks() / 2 * block;
  }

  /** The turns of so many arms that have warmed up, in order. */
  public List<Turn> turns(int arms) {
    List<Turn> turns = new ArrayList<>();
    for (int number = 0; number < blocks(); number++) {
      for (int place = 0; place < arms; place++) {
        turns.add(new Turn(number % 2 == 0 ? place : arms - 1 - place, before(number + 1)));
      }
    }
    return turns;
  }

  /** The turns of two arms that are not on the device together: A, twice B, A. */
  public List<Turn> halves() {
    long half = before(blocks() / 2);
    return List.of(new Turn(0, half), new Turn(1, half), new Turn(1, last()), new Turn(0, last()));
  }

  /** The first block of the second half, in which an arm that comes back warms up. */
  public int firstOfSecondHalf() {
    return blocks() / 2;
  }

  /** The steps of a block, ascending. */
  public List<Long> stepsOf(int number) {
    return IntStream.rangeClosed(1, block).mapToObj(step -> before(number) + step).toList();
  }

  /** Those whose time is counted. */
  public List<Long> timedStepsOf(int number) {
    return stepsOf(number).subList(1, block);
  }
}
