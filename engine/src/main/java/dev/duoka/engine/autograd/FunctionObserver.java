package dev.duoka.engine.autograd;

/**
 * Sees each part of a step begin and end, for profiles. Called on the tape's thread; on CUDA the
 * work between the two calls is launched, not done.
 */
public interface FunctionObserver {
  /** Which part of a function runs. */
  enum Phase {
    /** {@link Function#forward}. */
    FORWARD,
    /** {@link Function#inputGradients}. */
    INPUT_GRADIENTS,
    /** {@link Function#weightGradients}. */
    WEIGHT_GRADIENTS,
    /** The optimizer's update. */
    UPDATE
  }

  /** What {@link #enterBlock} gives outside of all blocks. */
  int NO_BLOCK = -1;

  /**
   * What follows belongs to another block of the tape ({@link Tape#block}).
   *
   * @param phase {@link Phase#FORWARD}, or {@link Phase#INPUT_GRADIENTS} for the backward pass
   * @param block its number in the order of the forward pass, from 0; {@link #NO_BLOCK} outside
   */
  default void enterBlock(Phase phase, int block) {}

  /** A part begins. */
  void begin(Phase phase, String name);

  /**
   * The part that began last ends.
   *
   * @param work the least that any implementation has to do
   */
  void end(Phase phase, String name, Work work);
}
