// Leaves out some elements of rows of tokens at random, by numbers that are a function of a key, the
// token's number and the column's alone: those of TokenChance, with Bits' constants and shifts.

#define SPREAD 0x9E3779B97F4A7LL
#define MIX 0xBF58476D1CE4FLL
#define KEY_SHIFT 11
#define CHANCE_SHIFT 40  // of the 63 bits of a mixed number 23 are left

__device__ __forceinline__ long long fold(long long a, int bits) { return a ^ (a >> bits); }

// Products wrap, which only those of unsigned numbers are allowed to.
__device__ __forceinline__ long long times(long long a, long long factor) {
  return (long long)((unsigned long long)a * (unsigned long long)factor);
}

__device__ __forceinline__ long long mixed(long long a) {
  return fold(times(fold(times(fold(a, 30), MIX), 27), SPREAD), 31);
}

// A block for each row, whose threads go through its columns. key_of_rows and key_of_columns are shifted
// already; the first column has the number first_column.
extern "C" __global__ void dropout(const element* __restrict__ x, const long long* __restrict__ tokens,
                                   element* __restrict__ target, int width, long long key_of_rows,
                                   long long key_of_columns, long long first_column, long long limit,
                                   float scale) {
  long long row = blockIdx.x;
  long long of_row = mixed(times(tokens[row], SPREAD) ^ key_of_rows);
  const element* from = x + row * width;
  element* to = target + row * width;
  for (int column = threadIdx.x * PACK; column < width; column += blockDim.x * PACK) {
    Pack pack = load(from + column);
#pragma unroll
    for (int k = 0; k < PACK; k++) {
      long long of_column = mixed(times(first_column + column + k, SPREAD) ^ key_of_columns);
      float kept = (mixed(of_row ^ of_column) >> CHANCE_SHIFT) >= limit ? 1.0f : 0.0f;
      // Rounded twice, as the composition is; what is no number stays none.
      float masked = widen(narrow(__fmul_rn(kept, widen(pack.at[k]))));
      pack.at[k] = narrow(__fmul_rn(masked, scale));
    }
    store(to + column, pack);
  }
}
