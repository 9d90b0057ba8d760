// One AdamW step over flat buffers (Loshchilov and Hutter, arXiv:1711.05101): unscaling, clipping by
// the global norm, the update and the copy to the compute dtype in one pass. Nothing happens when the
// norm is not finite. The order of operations is PyTorch's.

struct __align__(16) Four {
  float at[4];
};

extern "C" __global__ void adamw(float* __restrict__ master, const float* __restrict__ gradients,
                                 float* __restrict__ first, float* __restrict__ second,
                                 element* __restrict__ values, long long count,
                                 const double* __restrict__ squared_norm, float inverse_scale, float clip,
                                 float rate, float beta1, float beta2, float epsilon, float decay,
                                 float correction1, float correction2_root) {
  float norm = (float)(sqrt(*squared_norm) * inverse_scale);
  if (!isfinite(norm)) return;
  float factor = inverse_scale;
  if (clip > 0) factor *= fminf(1.0f, clip / (norm + 1e-6f));
  long long stride = (long long)gridDim.x * blockDim.x * 4;
  for (long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * 4; i < count; i += stride) {
    Four g = *reinterpret_cast<const Four*>(gradients + i), p = *reinterpret_cast<Four*>(master + i);
    Four m = *reinterpret_cast<Four*>(first + i), v = *reinterpret_cast<Four*>(second + i);
#pragma unroll
    for (int k = 0; k < 4; k++) {
      float gradient = g.at[k] * factor;
      p.at[k] -= rate * decay * p.at[k];
      m.at[k] += (1.0f - beta1) * (gradient - m.at[k]);
      v.at[k] = beta2 * v.at[k] + (1.0f - beta2) * gradient * gradient;
      p.at[k] -= rate / correction1 * m.at[k] / (sqrtf(v.at[k]) / correction2_root + epsilon);
    }
    *reinterpret_cast<Four*>(master + i) = p;
    *reinterpret_cast<Four*>(first + i) = m;
    *reinterpret_cast<Four*>(second + i) = v;
#if ELEMENT != 0
    struct __align__(8) { element at[4]; } out;
#pragma unroll
    for (int k = 0; k < 4; k++) out.at[k] = narrow(p.at[k]);
    *reinterpret_cast<unsigned long long*>(values + i) = *reinterpret_cast<unsigned long long*>(&out);
#endif
  }
}
