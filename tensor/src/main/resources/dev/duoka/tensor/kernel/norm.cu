// RMS normalisation of rows (Zhang and Sennrich, arXiv:1910.07467). Each row is read once and kept in
// registers: PACKS packs of each thread, given when it is compiled, so that narrow rows leave room for
// more blocks at a time.

// y = weight · x / sqrt(mean(x²) + epsilon).
extern "C" __global__ void rms_norm_forward(const element* __restrict__ x, const element* __restrict__ weight,
                                            element* __restrict__ y, float* __restrict__ inverse, int width,
                                            float epsilon) {
  long long row = (long long)blockIdx.x * width;
  Pack kept[PACKS];
  float squares = 0;
#pragma unroll
  for (int p = 0; p < PACKS; p++) {
    int column = (threadIdx.x + p * blockDim.x) * PACK;
    if (column < width) {
      kept[p] = load(x + row + column);
#pragma unroll
      for (int i = 0; i < PACK; i++) squares += widen(kept[p].at[i]) * widen(kept[p].at[i]);
    }
  }
  float scale = rsqrtf(block_sum(squares) / width + epsilon);
  if (threadIdx.x == 0) inverse[blockIdx.x] = scale;
#pragma unroll
  for (int p = 0; p < PACKS; p++) {
    int column = (threadIdx.x + p * blockDim.x) * PACK;
    if (column < width) {
      Pack factor = load(weight + column), out;
#pragma unroll
      for (int i = 0; i < PACK; i++) out.at[i] = narrow(widen(kept[p].at[i]) * scale * widen(factor.at[i]));
      store(y + row + column, out);
    }
  }
}

// Whether a row comes while the one before is worked on: where there are registers for it.
#define AHEAD (PACKS <= 2)

// dx (+ residual, where given) and, where parts are wanted, per block the sum over its rows of dy · x ·
// inverse: a part of the weight's gradient, [blocks, width]. Where again is given, the output once more, for the
// weight gradient of the product that follows.
extern "C" __global__ void __launch_bounds__(512) rms_norm_backward(const element* __restrict__ dy, const element* __restrict__ x,
                                             const element* __restrict__ weight,
                                             const float* __restrict__ inverse,
                                             const element* __restrict__ residual, element* __restrict__ dx,
                                             element* __restrict__ again, float* __restrict__ parts,
                                             int rows, int width) {
  float part[PACKS][PACK];
  Pack gradient[PACKS], value[PACKS];
#pragma unroll
  for (int p = 0; p < PACKS; p++) {
    int column = (threadIdx.x + p * blockDim.x) * PACK;
#pragma unroll
    for (int i = 0; i < PACK; i++) part[p][i] = 0;
    if (AHEAD && column < width && blockIdx.x < rows) {
      gradient[p] = load(dy + (long long)blockIdx.x * width + column);
      value[p] = load(x + (long long)blockIdx.x * width + column);
    }
  }
  for (int r = blockIdx.x; r < rows; r += gridDim.x) {
    long long row = (long long)r * width, next = row + (long long)gridDim.x * width;
    float scale = inverse[r];
    Pack next_gradient[PACKS], next_value[PACKS], rest[PACKS];
    float along = 0;
#pragma unroll
    for (int p = 0; p < PACKS; p++) {
      int column = (threadIdx.x + p * blockDim.x) * PACK;
      if (column < width) {
        if (AHEAD && residual) rest[p] = load(residual + row + column);
        if (!AHEAD) {
          gradient[p] = load(dy + row + column);
          value[p] = load(x + row + column);
        } else if (r + gridDim.x < rows) {
          next_gradient[p] = load(dy + next + column);
          next_value[p] = load(x + next + column);
        }
        Pack factor = load(weight + column);
#pragma unroll
        for (int i = 0; i < PACK; i++) {
          float g = widen(gradient[p].at[i]), v = widen(value[p].at[i]);
          along += g * v * widen(factor.at[i]);
          part[p][i] += g * v * scale;
        }
      }
    }
    float mean = block_sum(along) * scale * scale * scale / width;
#pragma unroll
    for (int p = 0; p < PACKS; p++) {
      int column = (threadIdx.x + p * blockDim.x) * PACK;
      if (column < width) {
        Pack factor = load(weight + column), out;
        if (!AHEAD && residual) rest[p] = load(residual + row + column);
#pragma unroll
        for (int i = 0; i < PACK; i++) {
          float d = widen(gradient[p].at[i]) * widen(factor.at[i]) * scale - widen(value[p].at[i]) * mean;
          out.at[i] = narrow(residual ? d + widen(rest[p].at[i]) : d);
        }
        store(dx + row + column, out);
        if (again) {
#pragma unroll
          for (int i = 0; i < PACK; i++)
            out.at[i] = narrow(widen(value[p].at[i]) * scale * widen(factor.at[i]));
          store(again + row + column, out);
        }
        if (AHEAD) {
          gradient[p] = next_gradient[p];
          value[p] = next_value[p];
        }
      }
    }
  }
  if (!parts) return;
#pragma unroll
  for (int p = 0; p < PACKS; p++) {
    int column = (threadIdx.x + p * blockDim.x) * PACK;
    if (column < width)
#pragma unroll
      for (int i = 0; i < PACK; i++) parts[(long long)blockIdx.x * width + column + i] = part[p][i];
  }
}

// target (+)= the sum of the parts over the blocks, always in the same order. 32 columns a block of
// 32 × 32 threads.
extern "C" __global__ void sum_parts(const float* __restrict__ parts, float* __restrict__ target, int blocks,
                                     int width, int add) {
  __shared__ float sums[32][33];
  int column = blockIdx.x * 32 + threadIdx.x;
  float sum = 0;
  if (column < width)
    for (int b = threadIdx.y; b < blocks; b += 32) sum += parts[(long long)b * width + column];
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  sum = warp_sum(sums[threadIdx.x][threadIdx.y]);
  column = blockIdx.x * 32 + threadIdx.y;
  if (threadIdx.x == 0 && column < width) target[column] = add ? target[column] + sum : sum;
}
