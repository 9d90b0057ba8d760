// The loss of each row of logits, and in their place its gradient: (softmax − one-hot) · scale. Rows
// whose target is negative count for nothing. One block a row; the second pass finds the row in the
// L2 cache.

extern "C" __global__ void cross_entropy(element* __restrict__ logits, const long long* __restrict__ targets,
                                         float* __restrict__ losses, int vocabulary, float scale,
                                         int with_gradient) {
  element* row = logits + (long long)blockIdx.x * vocabulary;
  long long target = targets[blockIdx.x];
  if (target < 0) {
    if (threadIdx.x == 0) losses[blockIdx.x] = 0;
    if (with_gradient) {
      Pack zero;
#pragma unroll
      for (int i = 0; i < PACK; i++) zero.at[i] = 0;
      for (int column = threadIdx.x * PACK; column < vocabulary; column += blockDim.x * PACK)
        store(row + column, zero);
    }
    return;
  }
  float maximum = -__int_as_float(0x7f800000), sum = 0;
  for (int column = threadIdx.x * PACK; column < vocabulary; column += blockDim.x * PACK) {
    Pack pack = load(row + column);
    float largest = widen(pack.at[0]);
#pragma unroll
    for (int i = 1; i < PACK; i++) largest = fmaxf(largest, widen(pack.at[i]));
    if (largest > maximum) {
      sum *= __expf(maximum - largest);
      maximum = largest;
    }
#pragma unroll
    for (int i = 0; i < PACK; i++) sum += __expf(widen(pack.at[i]) - maximum);
  }
  float top = block_max(maximum);
  // A thread without columns has a sum of 0 and a maximum of −∞.
  sum = block_sum(sum == 0 ? 0 : sum * __expf(maximum - top));
  float log_sum = top + logf(sum);
  if (threadIdx.x == 0) losses[blockIdx.x] = log_sum - widen(row[target]);
  if (!with_gradient) return;
  __syncthreads(); // the target's logit has been read
  for (int column = threadIdx.x * PACK; column < vocabulary; column += blockDim.x * PACK) {
    Pack pack = load(row + column);
#pragma unroll
    for (int i = 0; i < PACK; i++) {
      float p = __expf(widen(pack.at[i]) - log_sum);
      pack.at[i] = narrow((p - (column + i == target ? 1.0f : 0.0f)) * scale);
    }
    store(row + column, pack);
  }
}
