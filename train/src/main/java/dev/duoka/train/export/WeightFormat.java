package dev.duoka.train.export;

import dev.duoka.tensor.Dtype;

/** The number formats of exported weights. */
public enum WeightFormat {
  /** bfloat16, as DeepSeek publishes. */
  BF16(Dtype.BFLOAT16),
  /** IEEE half precision. */
  FP16(Dtype.FLOAT16),
  /** 32-bit floating point, as the master weights are. */
  FP32(Dtype.FLOAT32);

  private final Dtype dtype;

  WeightFormat(Dtype dtype) {
    this.dtype = dtype;
  }

  Dtype dtype() {
    return dtype;
  }
}
