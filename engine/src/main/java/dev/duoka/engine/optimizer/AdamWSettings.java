package dev.duoka.engine.optimizer;

/**
 * The constants of AdamW (Loshchilov and Hutter, arXiv:1711.05101) and of clipping.
 *
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param epsilon added to the root of the second moment
 * @param weightDecay per unit of learning rate
 * @param clipNorm gradients of a larger global L2 norm are scaled down to it; 0 for no clipping
 */
public record AdamWSettings(
    double beta1, double beta2, double epsilon, double weightDecay, double clipNorm) {
  /** The same with weight decay times a factor. */
  public AdamWSettings timesDecay(double factor) {
    return new AdamWSettings(beta1, beta2, epsilon, weightDecay * factor, clipNorm);
  }
}
