package dev.duoka.parallel.plan;

import dev.duoka.layout.Offload;
import dev.duoka.layout.StateForm;

/**
 * In which form and where the optimizer's states and the gradients are kept.
 *
 * @param form in how many bits
 * @param offload what of it lives in host memory
 * @param seed of the run, for rounding by chance
 */
public record StateSettings(StateForm form, Offload offload, long seed) {
  /** Everything in fp32 and on the device. */
  public static final StateSettings FULL = new StateSettings(StateForm.FULL, Offload.NONE, 0);

  /** Whether states and gradients live in host memory, which updates the weights. */
  public boolean onHost() {
    return offload != Offload.NONE;
  }
}
