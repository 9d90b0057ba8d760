// Sorting tokens by expert, and moving rows along. An assignment is one of the n · k pairs of token
// and expert; assignment i belongs to token i / k. The sort is a stable counting sort: count_experts
// counts in equal shares of the assignments, one per block, and sort_assignments gives each its place.
// Atomics only add integers, so nothing depends on their order.

#define WARPS 8 // of a block that sorts

__device__ __forceinline__ int expert_of(const long long* chosen, int assignment, int experts) {
  long long expert = chosen[assignment];
  if (expert < 0 || expert >= experts) __trap(); // better than writing beyond the end
  return (int)expert;
}

// block_counts [blocks, experts]: the assignments of each block's share, by expert.
extern "C" __global__ void count_experts(const long long* __restrict__ chosen, int* __restrict__ block_counts,
                                         int count, int share, int experts) {
  extern __shared__ int counts[];
  for (int e = threadIdx.x; e < experts; e += blockDim.x) counts[e] = 0;
  __syncthreads();
  int first = blockIdx.x * share, last = min(first + share, count);
  for (int i = first + threadIdx.x; i < last; i += blockDim.x)
    atomicAdd(&counts[expert_of(chosen, i, experts)], 1);
  __syncthreads();
  for (int e = threadIdx.x; e < experts; e += blockDim.x) block_counts[blockIdx.x * experts + e] = counts[e];
}

// order, position and token [count], ends and totals [experts]. share is a multiple of 32 · WARPS.
extern "C" __global__ void sort_assignments(const long long* __restrict__ chosen,
                                            const int* __restrict__ block_counts, long long* __restrict__ order,
                                            long long* __restrict__ position, long long* __restrict__ token,
                                            int* __restrict__ ends, long long* __restrict__ totals, int count,
                                            int share, int experts, int per_token) {
  extern __shared__ int memory[];
  int* start = memory;           // [experts]: where this block's rows of an expert start
  int* next = memory + experts;  // [WARPS][experts]: where a warp's next row of an expert goes
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;

  // The sums over all blocks in start, over those before this one in the first row of next.
  for (int e = threadIdx.x; e < experts; e += blockDim.x) start[e] = next[e] = 0;
  __syncthreads();
  int all = gridDim.x * experts, before = blockIdx.x * experts;
#pragma unroll 8
  for (int i = threadIdx.x; i < all; i += blockDim.x) {
    int counted = block_counts[i], e = i % experts;
    atomicAdd(&start[e], counted);
    if (i < before) atomicAdd(&next[e], counted);
  }
  __syncthreads();
  if (warp == 0) {
    int end = 0; // of the experts so far
    for (int first = 0; first < experts; first += 32) {
      int e = first + lane, total = e < experts ? start[e] : 0, sum = total;
#pragma unroll
      for (int offset = 1; offset < 32; offset <<= 1) {
        int below = __shfl_up_sync(ALL_LANES, sum, offset);
        if (lane >= offset) sum += below;
      }
      sum += end;
      if (e < experts) {
        start[e] = sum - total + next[e];
        if (blockIdx.x == 0) {
          ends[e] = sum;
          totals[e] = total;
        }
      }
      end = __shfl_sync(ALL_LANES, sum, 31);
    }
  }
  __syncthreads();

  // Each warp takes its part of the share, in order.
  int part = share / WARPS, first = blockIdx.x * share + warp * part;
  int last = min(first + part, count);
  int* mine = next + warp * experts;
  for (int e = lane; e < experts; e += 32) mine[e] = 0;
  __syncwarp();
  for (int i = first + lane; i < last; i += 32) atomicAdd(&mine[expert_of(chosen, i, experts)], 1);
  __syncthreads();
  for (int e = threadIdx.x; e < experts; e += blockDim.x) {
    int at = start[e];
    for (int w = 0; w < WARPS; w++) {
      int counted = next[w * experts + e];
      next[w * experts + e] = at;
      at += counted;
    }
  }
  __syncthreads();
  for (int i = first + lane; i - lane < last; i += 32) {
    int e = i < last ? expert_of(chosen, i, experts) : -1;
    unsigned same = __match_any_sync(ALL_LANES, e);
    int earlier = __popc(same & ((1u << lane) - 1));
    int at = e < 0 ? 0 : mine[e] + earlier;
    __syncwarp();
    if (e >= 0 && earlier == 0) mine[e] += __popc(same);
    __syncwarp();
    if (e >= 0) {
      order[at] = i;
      token[at] = i / per_token;
      position[i] = at;
    }
  }
}

// Of all assignments [count] keeps those of some experts: a position counts from the first of their rows,
// and is -1 elsewhere.
extern "C" __global__ void keep_rows(long long* __restrict__ position, const int* __restrict__ ends,
                                     int* __restrict__ ends_here, int count, int first, int experts) {
  int start = first == 0 ? 0 : ends[first - 1], rows = ends[first + experts - 1] - start;
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) {
    long long at = position[i] - start;
    position[i] = at >= 0 && at < rows ? at : -1;
  }
  if (i < experts) ends_here[i] = ends[first + i] - start;
}

// Copies each token's row to the places of its assignments: rows [n, width], sorted [rows, width]. One
// block a token, which is read once. What has place -1 goes nowhere.
extern "C" __global__ void spread_rows(const element* __restrict__ rows, const long long* __restrict__ position,
                                       element* __restrict__ sorted, int per_token, int width) {
  rows += (long long)blockIdx.x * width;
  position += (long long)blockIdx.x * per_token;
  bool any = false;
  for (int j = 0; j < per_token; j++) any |= position[j] >= 0;
  if (!any) return;
  for (int column = threadIdx.x * PACK; column < width; column += blockDim.x * PACK) {
    Pack pack = load(rows + column);
    for (int j = 0; j < per_token; j++)
      if (position[j] >= 0) store(sorted + position[j] * width + column, pack);
  }
}

#define AT_ONCE 8 // rows whose loads are under way together

// The sum of each token's sorted rows, those with a place, and, where given, of its row of addend [n, width], in fp32. One
// block a token.
extern "C" __global__ void gather_rows(const element* __restrict__ sorted, const long long* __restrict__ position,
                                       const element* __restrict__ addend, element* __restrict__ sums,
                                       int per_token, int width) {
  long long row = (long long)blockIdx.x * width;
  position += (long long)blockIdx.x * per_token;
  for (int column = threadIdx.x * PACK; column < width; column += blockDim.x * PACK) {
    float sum[PACK];
#pragma unroll
    for (int i = 0; i < PACK; i++) sum[i] = 0;
    for (int first = 0; first < per_token; first += AT_ONCE) {
      Pack packs[AT_ONCE];
#pragma unroll
      for (int j = 0; j < AT_ONCE; j++)
        if (first + j < per_token && position[first + j] >= 0)
          packs[j] = load(sorted + position[first + j] * width + column);
#pragma unroll
      for (int j = 0; j < AT_ONCE; j++)
        if (first + j < per_token && position[first + j] >= 0)
#pragma unroll
          for (int i = 0; i < PACK; i++) sum[i] += widen(packs[j].at[i]);
    }
    Pack out;
    if (addend) {
      Pack more = load(addend + row + column);
#pragma unroll
      for (int i = 0; i < PACK; i++) sum[i] += widen(more.at[i]);
    }
#pragma unroll
    for (int i = 0; i < PACK; i++) out.at[i] = narrow(sum[i]);
    store(sums + row + column, out);
  }
}

// to[i] = from[indices[i]], or 0 at index -1.
extern "C" __global__ void take_values(const float* __restrict__ from, const long long* __restrict__ indices,
                                       float* __restrict__ to, int count) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) to[i] = indices[i] < 0 ? 0 : from[indices[i]];
}

// to[position[i]] = from[i], but nowhere at position -1.
extern "C" __global__ void place_values(const float* __restrict__ from, const long long* __restrict__ position,
                                        float* __restrict__ to, int count) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count && position[i] >= 0) to[position[i]] = from[i];
}
