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

__device__ __forceinline__ double block_sum_wide(double value) {
  __shared__ double sums[32];
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
#pragma unroll
  for (int offset = 16; offset > 0; offset >>= 1) value += __shfl_xor_sync(ALL_LANES, value, offset);
  if (lane == 0) sums[warp] = value;
  __syncthreads();
  value = lane < warps ? sums[lane] : 0.0;
#pragma unroll
  for (int offset = 16; offset > 0; offset >>= 1) value += __shfl_xor_sync(ALL_LANES, value, offset);
  return value;
}

// The sum of squares of each block's share, always in the same order; fp64 from warp to warp.
extern "C" __global__ void squares(const float* __restrict__ values, long long count,
                                   double* __restrict__ parts) {
  long long stride = (long long)gridDim.x * blockDim.x * 4;
  double sum = 0;
  for (long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * 4; i < count; i += stride) {
    Four v = *reinterpret_cast<const Four*>(values + i);
    sum += (double)(v.at[0] * v.at[0] + v.at[1] * v.at[1]) + (double)(v.at[2] * v.at[2] + v.at[3] * v.at[3]);
  }
  sum = block_sum_wide(sum);
  if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

extern "C" __global__ void sum_wide(const double* __restrict__ parts, int count, double* __restrict__ sum) {
  double value = 0;
  for (int i = threadIdx.x; i < count; i += blockDim.x) value += parts[i];
  value = block_sum_wide(value);
  if (threadIdx.x == 0) *sum = value;
}
