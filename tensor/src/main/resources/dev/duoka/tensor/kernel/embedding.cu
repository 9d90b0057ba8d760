// The gradient of an embedding: each row of the target gets the sum of the gradients of its tokens,
// in the order of the tokens. keys are the tokens sorted, order where each was. One block for each
// place in the sorted list; those where a new token begins work, each thread on its own columns.
extern "C" __global__ void embedding_gradient(const long long* __restrict__ keys,
                                              const long long* __restrict__ order,
                                              const element* __restrict__ dy, float* __restrict__ target,
                                              long long count, int width) {
  long long i = blockIdx.x, token = keys[i];
  if (i > 0 && keys[i - 1] == token) return;
  for (int column = threadIdx.x * PACK; column < width; column += blockDim.x * PACK) {
    float sum[PACK];
#pragma unroll
    for (int k = 0; k < PACK; k++) sum[k] = 0;
    for (long long j = i; j < count && keys[j] == token; j++) {
      Pack pack = load(dy + order[j] * width + column);
#pragma unroll
      for (int k = 0; k < PACK; k++) sum[k] += widen(pack.at[k]);
    }
#pragma unroll
    for (int k = 0; k < PACK; k++) target[token * width + column + k] += sum[k];
  }
}
