// The choice of experts and its gradient. One warp a token; lane l has the experts l, l + 32, l + 64
// and so on, PACKS of them, given when it is compiled. Everything is fp32.

#define WARPS 8
#define SLOTS PACKS
#define TINY 1e-20f // keeps the sum of chosen scores from being zero, as DeepSeek's code does
#define NEGATIVE_INFINITY (-__int_as_float(0x7f800000))

// Keys order as the numbers do, NaN above all; 0 is the key of none.
__device__ __forceinline__ unsigned key_of(float x) {
  unsigned bits = __float_as_uint(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0xffffffffu;
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

// scores [tokens, experts]: the logits, in whose place the scores are left. weights and chosen
// [tokens, per_token], best first; of equal experts, and of equal groups, the first is taken.
extern "C" __global__ void choose_experts(float* __restrict__ scores, const float* __restrict__ bias,
                                          float* __restrict__ weights, long long* __restrict__ chosen,
                                          int tokens, int experts, int per_token, int sigmoid, int groups,
                                          int best_groups, int two_best, int normalize, float scale) {
  __shared__ float by_expert[WARPS][SLOTS * 32];
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, token = blockIdx.x * WARPS + warp;
  if (token >= tokens) return; // all of a warp; warps do not wait for each other
  float* row = scores + (long long)token * experts;
  float score[SLOTS];
#pragma unroll
  for (int s = 0; s < SLOTS; s++) {
    int e = s * 32 + lane;
    score[s] = e < experts ? row[e] : NEGATIVE_INFINITY;
  }
  if (sigmoid) {
#pragma unroll
    for (int s = 0; s < SLOTS; s++) score[s] = 1.0f / (1.0f + expf(-score[s]));
  } else {
    float largest = score[0], sum = 0;
#pragma unroll
    for (int s = 1; s < SLOTS; s++) largest = fmaxf(largest, score[s]);
    largest = warp_max(largest);
#pragma unroll
    for (int s = 0; s < SLOTS; s++) {
      score[s] = expf(score[s] - largest);
      sum += score[s];
    }
    sum = warp_sum(sum);
#pragma unroll
    for (int s = 0; s < SLOTS; s++) score[s] /= sum;
  }

  unsigned key[SLOTS];
#pragma unroll
  for (int s = 0; s < SLOTS; s++) {
    int e = s * 32 + lane;
    key[s] = 0;
    if (e < experts) {
      row[e] = score[s];
      float ranked = bias ? score[s] + bias[e] : score[s];
      key[s] = key_of(ranked);
      if (groups > 1) by_expert[warp][e] = ranked;
    }
  }
  if (groups > 1) { // at most 32: one a lane
    __syncwarp();
    int size = experts / groups;
    unsigned group = 0, allowed = 0;
    if (lane < groups) {
      float first = NEGATIVE_INFINITY, second = NEGATIVE_INFINITY;
      for (int i = 0; i < size; i++) {
        float x = by_expert[warp][lane * size + i];
        if (x > first) {
          second = first;
          first = x;
        } else if (x > second) {
          second = x;
        }
      }
      group = key_of(two_best && size > 1 ? first + second : first);
    }
    for (int i = 0; i < best_groups; i++) {
      unsigned best = __reduce_max_sync(ALL_LANES, group);
      int winner = __ffs(__ballot_sync(ALL_LANES, group == best)) - 1;
      allowed |= 1u << winner;
      if (lane == winner) group = 0;
    }
#pragma unroll
    for (int s = 0; s < SLOTS; s++) {
      int e = s * 32 + lane;
      if (e < experts && !(allowed >> (e / size) & 1)) key[s] = key_of(NEGATIVE_INFINITY);
    }
  }

  int expert = 0; // lane j has the j-th choice
  float weight = 0;
  for (int j = 0; j < per_token; j++) {
    unsigned best = 0;
    int first = 0x7fffffff;
#pragma unroll
    for (int s = 0; s < SLOTS; s++)
      if (key[s] > best) {
        best = key[s];
        first = s * 32 + lane;
      }
    unsigned top = __reduce_max_sync(ALL_LANES, best);
    int winner = (int)__reduce_min_sync(ALL_LANES, best == top ? (unsigned)first : 0x7fffffffu);
    float its = 0;
#pragma unroll
    for (int s = 0; s < SLOTS; s++)
      if (s * 32 + lane == winner) {
        its = score[s];
        key[s] = 0;
      }
    its = __shfl_sync(ALL_LANES, its, winner & 31);
    if (lane == j) {
      expert = winner;
      weight = its;
    }
  }
  if (normalize) weight /= warp_sum(weight) + TINY;
  if (lane < per_token) {
    weights[(long long)token * per_token + lane] = weight * scale;
    chosen[(long long)token * per_token + lane] = expert;
  }
}

// How often each expert was chosen in each stretch of tokens, added to counts [stretches, experts];
// per_stretch counts assignments. One row of blocks a stretch.
extern "C" __global__ void count_by_stretch(const long long* __restrict__ chosen, int* __restrict__ counts,
                                            int per_stretch, int experts) {
  extern __shared__ int sums[];
  for (int e = threadIdx.x; e < experts; e += blockDim.x) sums[e] = 0;
  __syncthreads();
  chosen += (long long)blockIdx.y * per_stretch;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < per_stretch; i += gridDim.x * blockDim.x)
    atomicAdd(&sums[(int)chosen[i]], 1);
  __syncthreads();
  for (int e = threadIdx.x; e < experts; e += blockDim.x)
    if (sums[e] > 0) atomicAdd(&counts[blockIdx.y * experts + e], sums[e]);
}

// The gradient of the logits, from that of the weights (where given) and that of the balance loss
// (where counts are given): the derivative by a token's normalised scores is balance · counts of its
// stretch. In bf16 as two parts side by side, [tokens, 2 · experts], whose sum it is; else in fp32,
// [tokens, experts].
extern "C" __global__ void router_backward(const float* __restrict__ scores, const long long* __restrict__ chosen,
                                           const float* __restrict__ dweights, const int* __restrict__ counts,
                                           void* __restrict__ dlogits, int tokens, int experts, int per_token,
                                           int sigmoid, int normalize, float scale, int per_stretch,
                                           int first_token, float balance) {
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, token = blockIdx.x * WARPS + warp;
  if (token >= tokens) return;
  const float* row = scores + (long long)token * experts;
  float score[SLOTS], gradient[SLOTS];
#pragma unroll
  for (int s = 0; s < SLOTS; s++) {
    int e = s * 32 + lane;
    score[s] = e < experts ? row[e] : 0.0f;
    gradient[s] = 0;
  }
  if (dweights) {
    int expert = -1; // lane j has the j-th choice
    float d = 0, its = 0;
    if (lane < per_token) {
      expert = (int)chosen[(long long)token * per_token + lane];
      d = dweights[(long long)token * per_token + lane] * scale;
      its = row[expert];
    }
    if (normalize) {
      float sum = warp_sum(its) + TINY;
      d = (d - warp_sum(d * (its / sum))) / sum;
    }
    for (int j = 0; j < per_token; j++) {
      int e = __shfl_sync(ALL_LANES, expert, j);
      float value = __shfl_sync(ALL_LANES, d, j);
#pragma unroll
      for (int s = 0; s < SLOTS; s++)
        if (s * 32 + lane == e) gradient[s] += value;
    }
  }
  if (counts) {
    counts += (long long)((first_token + token) / per_stretch) * experts;
    float share[SLOTS], sum = 0, along = 0;
#pragma unroll
    for (int s = 0; s < SLOTS; s++) {
      int e = s * 32 + lane;
      share[s] = e < experts ? balance * counts[e] : 0.0f;
      sum += score[s];
    }
    if (sigmoid) { // softmax scores are normalised already
      sum = warp_sum(sum) + TINY;
#pragma unroll
      for (int s = 0; s < SLOTS; s++) along += share[s] * (score[s] / sum);
      along = warp_sum(along);
#pragma unroll
      for (int s = 0; s < SLOTS; s++) share[s] = (share[s] - along) / sum;
    }
#pragma unroll
    for (int s = 0; s < SLOTS; s++) gradient[s] += share[s];
  }
  float along = 0;
  if (!sigmoid) {
#pragma unroll
    for (int s = 0; s < SLOTS; s++) along += gradient[s] * score[s];
    along = warp_sum(along);
  }
#pragma unroll
  for (int s = 0; s < SLOTS; s++) {
    int e = s * 32 + lane;
    if (e < experts) {
      float d = sigmoid ? gradient[s] * score[s] * (1.0f - score[s]) : (gradient[s] - along) * score[s];
#if ELEMENT == 1
      element* to = (element*)dlogits + (long long)token * 2 * experts;
      element high = narrow(d);
      to[e] = high;
      to[experts + e] = narrow(d - widen(high));
#else
      ((float*)dlogits)[(long long)token * experts + e] = d;
#endif
    }
  }
}
