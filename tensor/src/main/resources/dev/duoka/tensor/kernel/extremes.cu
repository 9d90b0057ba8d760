// The smallest and the largest number, by stretches of a flat buffer. What is no number stays.

struct __align__(4 * sizeof(element)) Four {
  element at[4];
};

__device__ __forceinline__ float smaller(float a, float b) { return b < a || b != b ? b : a; }
__device__ __forceinline__ float larger(float a, float b) { return b > a || b != b ? b : a; }

__device__ __forceinline__ void block_extremes(float& least, float& most) {
  __shared__ float lows[32], highs[32];
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, warps = blockDim.x >> 5;
#pragma unroll
  for (int offset = 16; offset > 0; offset >>= 1) {
    least = smaller(least, __shfl_xor_sync(ALL_LANES, least, offset));
    most = larger(most, __shfl_xor_sync(ALL_LANES, most, offset));
  }
  if (lane == 0) lows[warp] = least, highs[warp] = most;
  __syncthreads();
  least = lows[lane < warps ? lane : 0];
  most = highs[lane < warps ? lane : 0];
#pragma unroll
  for (int offset = 16; offset > 0; offset >>= 1) {
    least = smaller(least, __shfl_xor_sync(ALL_LANES, least, offset));
    most = larger(most, __shfl_xor_sync(ALL_LANES, most, offset));
  }
}

// One block for each stretch of the table: where it starts, how long it is (whole packs), and the
// place of its two numbers among the parts.
extern "C" __global__ void extremes(const element* __restrict__ values, const long long* __restrict__ table,
                                    float* __restrict__ parts) {
  const element* from = values + table[blockIdx.x * 3];
  long long count = table[blockIdx.x * 3 + 1];
  float least = __int_as_float(0x7f800000), most = -least;
  for (long long i = threadIdx.x * 4; i < count; i += blockDim.x * 4) {
    Four v = *reinterpret_cast<const Four*>(from + i);
#pragma unroll
    for (int k = 0; k < 4; k++) {
      float x = widen(v.at[k]);
      least = smaller(least, x);
      most = larger(most, x);
    }
  }
  block_extremes(least, most);
  if (threadIdx.x == 0) {
    long long place = table[blockIdx.x * 3 + 2];
    parts[2 * place] = least;
    parts[2 * place + 1] = most;
  }
}

// One block for each group of parts that lie side by side; ends are where the groups end.
extern "C" __global__ void group_extremes(const float* __restrict__ parts, const long long* __restrict__ ends,
                                          float* __restrict__ of_groups) {
  long long begin = blockIdx.x == 0 ? 0 : ends[blockIdx.x - 1], end = ends[blockIdx.x];
  float least = __int_as_float(0x7f800000), most = -least;
  for (long long i = begin + threadIdx.x; i < end; i += blockDim.x) {
    least = smaller(least, parts[2 * i]);
    most = larger(most, parts[2 * i + 1]);
  }
  block_extremes(least, most);
  if (threadIdx.x == 0) {
    of_groups[2 * blockIdx.x] = least;
    of_groups[2 * blockIdx.x + 1] = most;
  }
}
