// Sums of squares in fp64, by stretches of a flat buffer, always in the same order.

struct __align__(4 * sizeof(element)) Four {
  element at[4];
};

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

// One block for each stretch of the table: where it starts, how long it is (whole packs), and the
// place of its sum among the parts.
extern "C" __global__ void squares(const element* __restrict__ values, const long long* __restrict__ table,
                                   double* __restrict__ parts) {
  const element* from = values + table[blockIdx.x * 3];
  long long count = table[blockIdx.x * 3 + 1];
  double sum = 0;
#pragma unroll 4
  for (long long i = threadIdx.x * 4; i < count; i += blockDim.x * 4) {
    Four v = *reinterpret_cast<const Four*>(from + i);
#pragma unroll
    for (int k = 0; k < 4; k++) sum += (double)widen(v.at[k]) * (double)widen(v.at[k]);
  }
  sum = block_sum_wide(sum);
  if (threadIdx.x == 0) parts[table[blockIdx.x * 3 + 2]] = sum;
}

// One block for each group of parts that lie side by side; ends are where the groups end.
extern "C" __global__ void sum_groups(const double* __restrict__ parts, const long long* __restrict__ ends,
                                      double* __restrict__ sums) {
  long long begin = blockIdx.x == 0 ? 0 : ends[blockIdx.x - 1], end = ends[blockIdx.x];
  double value = 0;
  for (long long i = begin + threadIdx.x; i < end; i += blockDim.x) value += parts[i];
  value = block_sum_wide(value);
  if (threadIdx.x == 0) sums[blockIdx.x] = value;
}

// From the first to the last, as a host would add them.
extern "C" __global__ void sum_in_order(const double* __restrict__ values, int count, double* __restrict__ sum) {
  double value = 0;
  for (int i = 0; i < count; i++) value += values[i];
  *sum = value;
}
