package dev.duoka.engine.precision;

/**
 * Dynamic loss scaling, as {@code torch.amp.GradScaler} does it: the scale halves when a step's
 * gradients overflow, which is then skipped, and doubles after enough good steps in a row.
 *
 * <p>Not thread-safe; every rank keeps its own and sees the same overflows.
 */
public final class LossScaler {
  /**
   * The rule.
   *
   * @param initialScale what the loss is multiplied by at first
   * @param growthFactor applied after {@code growthInterval} good steps in a row
   * @param backoffFactor applied after an overflow
   * @param growthInterval in steps
   */
  public record Settings(
      double initialScale, double growthFactor, double backoffFactor, int growthInterval) {
    /** PyTorch's defaults: 2^16, ×2 after 2000 good steps, ×0.5 on overflow. */
    public static final Settings DEFAULT = new Settings(65536, 2, 0.5, 2000);
  }

  /**
   * What a checkpoint keeps.
   *
   * @param scale the current factor
   * @param goodSteps steps without overflow since the scale last changed
   */
  public record State(double scale, int goodSteps) {}

  private final Settings settings;
  private final boolean enabled;
  private double scale;
  private int goodSteps;

  /** A scaler; a disabled one has the scale 1 for ever. */
  public LossScaler(Settings settings, boolean enabled) {
    this.settings = settings;
    this.enabled = enabled;
    this.scale = enabled ? settings.initialScale() : 1;
  }

  /** Whether the scale can change, so that each step's outcome must be known before the next. */
  public boolean isEnabled() {
    return enabled;
  }

  /** What the loss of the next backward pass is multiplied by. */
  public double scale() {
    return scale;
  }

  /** Notes the outcome of a step and sets the scale of the next one. */
  public void update(boolean overflowed) {
    if (!enabled) {
      return;
    }
    if (overflowed) {
      scale *= settings.backoffFactor();
      goodSteps = 0;
    } else if (++goodSteps == settings.growthInterval()) {
      double grown = scale * settings.growthFactor();
      if (Float.isFinite((float) grown)) { // PyTorch keeps the scale in fp32, and it from infinity
        scale = grown;
      }
      goodSteps = 0;
    }
  }

  /** The state to put into a checkpoint. */
  public State state() {
    return new State(scale, goodSteps);
  }

  /** Goes on from a checkpoint. */
  public void restore(State state) {
    if (enabled) {
      scale = state.scale();
      goodSteps = state.goodSteps();
    }
  }
}
