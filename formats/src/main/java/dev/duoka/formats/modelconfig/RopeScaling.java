package dev.duoka.formats.modelconfig;

/** How RoPE's frequencies are stretched for positions beyond those trained on. */
public sealed interface RopeScaling {
  /** Frequencies as they are. */
  record None() implements RopeScaling {}

  /**
   * Position interpolation (arXiv 2306.15595): every frequency divided by one factor.
   *
   * @param factor at least 1
   */
  record Linear(double factor) implements RopeScaling {
    public Linear {
      ConfigLimits.that(
          factor >= 1 && factor < Double.POSITIVE_INFINITY,
          "the rope scaling's factor is " + factor,
          "Set it to 1 or more");
    }
  }

  /**
   * Llama 3.1's: low frequencies divided by the factor, high ones kept, between them a blend that
   * is linear in the number of rotations ({@code _compute_llama3_parameters} of transformers).
   *
   * @param factor at least 1
   * @param lowFrequencyFactor rotations over the original positions below which a frequency is
   *     divided by the whole factor
   * @param highFrequencyFactor rotations above which it is kept
   * @param originalMaxPositions positions the model was trained on before the stretch
   */
  record Llama3(
      double factor,
      double lowFrequencyFactor,
      double highFrequencyFactor,
      int originalMaxPositions)
      implements RopeScaling {
    public Llama3 {
      ConfigLimits.that(
          factor >= 1 && factor < Double.POSITIVE_INFINITY,
          "the rope scaling's factor is " + factor,
          "Set it to 1 or more");
      ConfigLimits.range(
          "original_max_position_embeddings", originalMaxPositions, 1, ConfigLimits.MAX_TOKENS);
      ConfigLimits.positive("low_freq_factor", lowFrequencyFactor);
      ConfigLimits.positive("high_freq_factor", highFrequencyFactor);
      ConfigLimits.that(
          highFrequencyFactor > lowFrequencyFactor,
          "high_freq_factor "
              + highFrequencyFactor
              + " is not above low_freq_factor "
              + lowFrequencyFactor,
          "Llama 3.1 uses 4 and 1");
    }
  }

  /**
   * YaRN (arXiv 2309.00071): low frequencies divided by the factor, high ones kept, a ramp between.
   *
   * @param factor at least 1
   * @param originalMaxPositions positions the model was trained on before the stretch
   * @param betaFast rotations over the original positions above which a frequency is kept
   * @param betaSlow rotations below which a frequency is divided by the whole factor; where it is
   *     equal to {@code betaFast} the ramp spans the one or two pairs around it
   * @param mscale see {@link #rotationScale}
   * @param mscaleAllDim see {@link #rotationScale} and {@link #softmaxScale}
   */
  record Yarn(
      double factor,
      int originalMaxPositions,
      double betaFast,
      double betaSlow,
      double mscale,
      double mscaleAllDim)
      implements RopeScaling {
    public Yarn {
      ConfigLimits.that(
          factor >= 1 && factor < Double.POSITIVE_INFINITY,
          "the rope scaling's factor is " + factor,
          "Set it to 1 or more");
      ConfigLimits.range(
          "original_max_position_embeddings", originalMaxPositions, 1, ConfigLimits.MAX_TOKENS);
      ConfigLimits.positive("beta_fast", betaFast);
      ConfigLimits.positive("beta_slow", betaSlow);
      ConfigLimits.that(
          betaFast >= betaSlow,
          "beta_fast " + betaFast + " is below beta_slow " + betaSlow,
          "DeepSeek's models use 32 and 1, Kimi-K2 uses 1 and 1");
      ConfigLimits.notNegative("mscale", mscale);
      ConfigLimits.notNegative("mscale_all_dim", mscaleAllDim);
    }

    /**
     * What cosine and sine are multiplied by, as transformers' {@code _compute_yarn_parameters}
     * does: the ratio of the two mscales' corrections where both are set, else the paper's {@code
     * 0.1 ln(factor) + 1}.
     */
    public double rotationScale() {
      if (mscale != 0 && mscaleAllDim != 0) {
        return correction(mscale) / correction(mscaleAllDim);
      }
      return correction(1);
    }

    /**
     * What multi-head latent attention multiplies its softmax scale by, on top of {@code
     * qkHeadDim^-0.5}: the square of mscaleAllDim's correction; 1 where mscaleAllDim is 0.
     */
    public double softmaxScale() {
      double correction = correction(mscaleAllDim);
      return correction * correction;
    }

    private double correction(double mscale) {
      return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
    }
  }
}
