// 16-bit matrices as 8-bit ones with scales (DeepSeek-V3, arXiv:2412.19437 §3.3): e4m3 values whose
// largest magnitude, 448, stands for the largest of their group. One block of 256 threads for each tile
// of 128 × 128; a thread has 8 × 8 of its elements. Needs compute capability 8.9 or later.

#define TILE 128
#define LARGEST 448.0f

__device__ __forceinline__ unsigned quantized(float a, float b, float c, float d) {
  unsigned short low, high;
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(low) : "f"(b), "f"(a));
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(high) : "f"(d), "f"(c));
  return low | (unsigned)high << 16;
}

// A group of zeros keeps the scale of a tiny value, so that nothing is divided by zero.
__device__ __forceinline__ float scale_of(float largest) { return fmaxf(largest, 1e-30f) / LARGEST; }

// rows: [n, width], one scale for each row of a tile, [width / 128, n].
// columns: the transpose [width, n], one scale for each column of a tile, [n / 128, width].
// Either may be absent. With `whole` one scale for the tile: [n / 128, row_pitch] and
// [width / 128, column_pitch].
extern "C" __global__ void __launch_bounds__(256)
    quantize(const element* __restrict__ x, unsigned char* __restrict__ rows, float* __restrict__ row_scales,
             unsigned char* __restrict__ columns, float* __restrict__ column_scales, int n, int width, int whole,
             int row_pitch, int column_pitch) {
  __shared__ float largest[8][TILE];
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  int column = (threadIdx.x & 15) * 8, row = (threadIdx.x >> 4) * 8;
  long long first = (long long)blockIdx.y * TILE + row;
  const element* corner = x + first * width + blockIdx.x * TILE + column;
  float value[8][8], of_row[8], of_column[8];
#pragma unroll
  for (int i = 0; i < 8; i++) {
    of_row[i] = 0;
    Pack pack = load(corner + (long long)i * width);
#pragma unroll
    for (int j = 0; j < 8; j++) {
      value[i][j] = widen(pack.at[j]);
      of_row[i] = fmaxf(of_row[i], fabsf(value[i][j]));
    }
  }
#pragma unroll
  for (int j = 0; j < 8; j++) {
    of_column[j] = 0;
#pragma unroll
    for (int i = 0; i < 8; i++) of_column[j] = fmaxf(of_column[j], fabsf(value[i][j]));
    of_column[j] = fmaxf(of_column[j], __shfl_xor_sync(ALL_LANES, of_column[j], 16));
    if (lane < 16) largest[warp][column + j] = of_column[j];
  }
  // The sixteen threads of a row are neighbours.
#pragma unroll
  for (int i = 0; i < 8; i++)
#pragma unroll
    for (int offset = 8; offset > 0; offset >>= 1)
      of_row[i] = fmaxf(of_row[i], __shfl_xor_sync(ALL_LANES, of_row[i], offset));
  __syncthreads();
#pragma unroll
  for (int j = 0; j < 8; j++)
#pragma unroll
    for (int w = 0; w < 8; w++) of_column[j] = fmaxf(of_column[j], largest[w][column + j]);
  if (whole) {
    float all = 0;
#pragma unroll
    for (int j = 0; j < 8; j++) all = fmaxf(all, of_column[j]);
#pragma unroll
    for (int offset = 8; offset > 0; offset >>= 1) all = fmaxf(all, __shfl_xor_sync(ALL_LANES, all, offset));
#pragma unroll
    for (int i = 0; i < 8; i++) of_row[i] = of_column[i] = all;
  }

  if (rows) {
#pragma unroll
    for (int i = 0; i < 8; i++) {
      float scale = scale_of(of_row[i]), by = 1.0f / scale;
      uint2 packed;
      packed.x = quantized(value[i][0] * by, value[i][1] * by, value[i][2] * by, value[i][3] * by);
      packed.y = quantized(value[i][4] * by, value[i][5] * by, value[i][6] * by, value[i][7] * by);
      *reinterpret_cast<uint2*>(rows + (first + i) * width + blockIdx.x * TILE + column) = packed;
      if (column == 0 && !whole) row_scales[(long long)blockIdx.x * n + first + i] = scale;
    }
    if (threadIdx.x == 0 && whole) row_scales[blockIdx.y * row_pitch + blockIdx.x] = scale_of(of_row[0]);
  }
  if (columns) {
#pragma unroll
    for (int j = 0; j < 8; j++) {
      float scale = scale_of(of_column[j]), by = 1.0f / scale;
      uint2 packed;
      packed.x = quantized(value[0][j] * by, value[1][j] * by, value[2][j] * by, value[3][j] * by);
      packed.y = quantized(value[4][j] * by, value[5][j] * by, value[6][j] * by, value[7][j] * by);
      long long line = blockIdx.x * TILE + column + j;
      *reinterpret_cast<uint2*>(columns + line * n + first) = packed;
      if (row == 0 && !whole) column_scales[(long long)blockIdx.y * width + line] = scale;
    }
    if (threadIdx.x == 0 && whole) column_scales[blockIdx.x * column_pitch + blockIdx.y] = scale_of(of_column[0]);
  }
}
