// silu(gate) · up, with gate and up side by side in a row of 2 · width, and an optional weight per
// row. One block a row.

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + __expf(-x)); }

extern "C" __global__ void swiglu_forward(const element* __restrict__ joint, const float* __restrict__ weights,
                                          element* __restrict__ y, int width) {
  const element* gate = joint + (long long)blockIdx.x * 2 * width;
  element* out = y + (long long)blockIdx.x * width;
  float weight = weights ? weights[blockIdx.x] : 1.0f;
  for (int column = threadIdx.x * PACK; column < width; column += blockDim.x * PACK) {
    Pack g = load(gate + column), u = load(gate + width + column), result;
#pragma unroll
    for (int i = 0; i < PACK; i++) {
      float a = widen(g.at[i]);
      result.at[i] = narrow(a * sigmoid(a) * widen(u.at[i]) * weight);
    }
    store(out + column, result);
  }
}

// The gradients of joint, of the row weights (where given), and, where again is given, the output
// once more, for the weight gradient of the product that follows.
extern "C" __global__ void swiglu_backward(const element* __restrict__ joint, const element* __restrict__ dy,
                                           const float* __restrict__ weights, element* __restrict__ djoint,
                                           float* __restrict__ dweights, element* __restrict__ again,
                                           int width) {
  long long row = blockIdx.x;
  const element* gate = joint + row * 2 * width;
  element* dgate = djoint + row * 2 * width;
  float weight = weights ? weights[row] : 1.0f;
  float sum = 0;
  for (int column = threadIdx.x * PACK; column < width; column += blockDim.x * PACK) {
    Pack g = load(gate + column), u = load(gate + width + column), d = load(dy + row * width + column);
    Pack dg, du, value;
#pragma unroll
    for (int i = 0; i < PACK; i++) {
      float a = widen(g.at[i]), b = widen(u.at[i]), gradient = widen(d.at[i]);
      float s = sigmoid(a), silu = a * s;
      sum += gradient * silu * b;
      gradient *= weight;
      dg.at[i] = narrow(gradient * b * (s + silu * (1.0f - s)));
      du.at[i] = narrow(gradient * silu);
      value.at[i] = narrow(silu * b * weight);
    }
    store(dgate + column, dg);
    store(dgate + width + column, du);
    if (again) store(again + row * width + column, value);
  }
  if (dweights) {
    sum = block_sum(sum);
    if (threadIdx.x == 0) dweights[row] = sum;
  }
}
