package dev.duoka.parallel.schedule;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One thing that a rank does, in the notation of torch.distributed.pipelining
 * (torch/distributed/pipelining/schedules.py): the stage, what is done, and with which micro-batch,
 * for example {@code 1F3}.
 *
 * @param stage the pipeline stage, from 0
 * @param kind what is done
 * @param microBatch with which micro-batch, from 0; −1 where it concerns all
 */
public record Action(int stage, Kind kind, int microBatch) {
  /** What a rank can do. */
  public enum Kind {
    /** The forward pass. */
    FORWARD("F"),
    /** The backward pass: gradients of inputs and weights. */
    BACKWARD("B"),
    /** The gradients of inputs alone; those of the weights follow by {@link #WEIGHT_GRADIENTS}. */
    INPUT_GRADIENTS("I"),
    /** The gradients of weights that were put off. */
    WEIGHT_GRADIENTS("W"),
    /** Sends the output to the next stage. */
    SEND_FORWARD("SEND_F"),
    /** Receives the input from the stage before. */
    RECEIVE_FORWARD("RECV_F"),
    /** Sends the input's gradient to the stage before. */
    SEND_BACKWARD("SEND_B"),
    /** Receives the output's gradient from the next stage. */
    RECEIVE_BACKWARD("RECV_B"),
    /** Sums the gradients over the ranks that hold the same weights. */
    REDUCE_GRADIENTS("REDUCE_GRAD");

    private final String notation;

    Kind(String notation) {
      this.notation = notation;
    }

    /** Whether it is done once for all micro-batches. */
    boolean concernsAll() {
      return this == REDUCE_GRADIENTS;
    }
  }

  private static final Pattern NOTATION =
      Pattern.compile("(\\d{1,6})(F|B|I|W|SEND_F|RECV_F|SEND_B|RECV_B|REDUCE_GRAD)(\\d{0,6})");

  public Action {
    if (stage < 0 || (microBatch < 0) != kind.concernsAll()) {
      throw new IllegalArgumentException(
          "no action: stage " + stage + ", " + kind + ", micro-batch " + microBatch);
    }
  }

  /** The action of a text like {@code 0F3}. */
  public static Action parse(String text) {
    Matcher matcher = NOTATION.matcher(text.strip());
    if (matcher.matches()) {
      for (Kind kind : Kind.values()) {
        boolean all = matcher.group(3).isEmpty();
        if (kind.notation.equals(matcher.group(2)) && all == kind.concernsAll()) {
          return new Action(
              Integer.parseInt(matcher.group(1)),
              kind,
              all ? -1 : Integer.parseInt(matcher.group(3)));
        }
      }
    }
    throw new DuokaException(
        ErrorCode.FORMAT,
        "'" + text + "' is no action of a schedule",
        "Actions are stage, kind and micro-batch, as in 0F3, 1B0 or 0REDUCE_GRAD");
  }

  @Override
  public String toString() {
    return stage + kind.notation + (microBatch < 0 ? "" : microBatch);
  }
}
