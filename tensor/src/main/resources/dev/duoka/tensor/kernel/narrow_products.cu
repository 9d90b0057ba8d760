// Both products of a wide matrix with narrow ones while it is read once: dx = g · u, [n, WIDTH], and
// du = gᵀ · x, [m, WIDTH], of g [n, m], u [m, WIDTH] and x [n, WIDTH]. An adapter needs both (LoRA: g is
// the gradient of its outputs, u its matrix B, x what its matrix A made of the inputs). g may have up to three
// parts side by side, each with its own u, and its own WIDTH columns of x and dx.
//
// A block goes down some rows of SPANS tiles of columns of one part. The tiles come while those before
// them are multiplied. A warp sums 16 rows of dx over a tile row's columns, and BESIDE times 16 columns of each tile
// of du over all rows. What blocks beside and below each other have is summed by a second kernel, in
// one order. For compute capability 8.0 and later, and 16-bit elements; WIDTH is 8 times PACKS, 32 at most.

#define WIDTH (8 * PACKS)
#define ROWS 64
#define COLUMNS 128
#define SPANS (PACKS > 2 ? 3 : 4)
#define STAGES 3
#define WARPS (ROWS / 16)
#define THREADS (32 * WARPS)
#define BESIDE (COLUMNS / 16 / WARPS)
#define PITCH (WIDTH + 8)  // of a narrow matrix's rows: of 16 and 32 columns eight rows lie in different banks
#define TILE (ROWS * COLUMNS)
#define TILE_PACKS (COLUMNS / 8)

__device__ __forceinline__ unsigned shared_address(const void* p) {
  return (unsigned)__cvta_generic_to_shared(p);
}

// 16 bytes, zeros where there is nothing to read.
__device__ __forceinline__ void copy_async(void* to, const element* from, bool there) {
  int bytes = there ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from), "r"(bytes));
}

__device__ __forceinline__ void load_matrices(unsigned (&to)[4], unsigned from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(from));
}

__device__ __forceinline__ void load_transposed(unsigned (&to)[4], unsigned from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(from));
}

__device__ __forceinline__ void load_transposed(unsigned (&to)[2], unsigned from) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
               : "=r"(to[0]), "=r"(to[1])
               : "r"(from));
}

#if ELEMENT == 1
#define KIND "bf16"
#else
#define KIND "f16"
#endif
__device__ __forceinline__ void multiply(float (&sum)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32." KIND "." KIND
               ".f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Where 8 elements of a tile are: swizzled, so that eight rows of a column of packs lie in different banks.
__device__ __forceinline__ int in_tile(int row, int pack) { return row * COLUMNS + ((pack ^ (row & 7)) * 8); }

// dx_parts is [the most blocks beside each other in a part of g][n][dx_pitch], du_parts [blocks below each
// other][m0 + m1 + m2][WIDTH].
extern "C" __global__ void __launch_bounds__(THREADS, 2)
    narrow_products(const element* __restrict__ g, long long g_pitch, const element* __restrict__ x,
                    long long x_pitch, float* __restrict__ dx_parts, int dx_pitch, float* __restrict__ du_parts,
                    int n, int rows_of_block, const element* __restrict__ u0, int column0, int m0,
                    const element* __restrict__ u1, int column1, int m1, const element* __restrict__ u2,
                    int column2, int m2) {
  extern __shared__ __align__(128) element memory[];
  element* tiles = memory;                       // [STAGES][ROWS][COLUMNS]
  element* xs = tiles + STAGES * TILE;           // [STAGES][ROWS][PITCH]
  element* us = xs + STAGES * ROWS * PITCH;      // [SPANS][COLUMNS][PITCH]
  int t = threadIdx.x, lane = t & 31, warp = t >> 5;
  const int wide = SPANS * COLUMNS;
  int groups0 = (m0 + wide - 1) / wide, groups1 = (m1 + wide - 1) / wide;
  int part = blockIdx.x < groups0 ? 0 : blockIdx.x < groups0 + groups1 ? 1 : 2;
  int group = blockIdx.x - (part == 0 ? 0 : part == 1 ? groups0 : groups0 + groups1);
  int m = part == 0 ? m0 : part == 1 ? m1 : m2;
  const element* __restrict__ u = part == 0 ? u0 : part == 1 ? u1 : u2;
  g += part == 0 ? column0 : part == 1 ? column1 : column2;
  x += part * WIDTH;
  dx_parts += (long long)group * n * dx_pitch + part * WIDTH;
  du_parts += ((long long)blockIdx.y * (m0 + m1 + m2) + (part == 0 ? 0 : part == 1 ? m0 : m0 + m1)) * WIDTH;
  int first_column = group * wide;
  int spans = min(SPANS, (m - first_column + COLUMNS - 1) / COLUMNS);
  int first_row = blockIdx.y * rows_of_block;
  int last_row = min(n, first_row + rows_of_block);
  int blocks = (last_row - first_row + ROWS - 1) / ROWS;

  // A thread's packs are in one column of each tile, and in rows that the swizzle treats alike.
  const int together = THREADS / TILE_PACKS;
  int fetched_row = t / TILE_PACKS, fetched_pack = t % TILE_PACKS, fetched_at = in_tile(fetched_row, fetched_pack);
  int next_block = 0, next_span = 0, next_stage = 0;
  auto fetch = [&]() {
    if (next_block < blocks) {
      int tile_row = first_row + next_block * ROWS, row = tile_row + fetched_row;
      int column = first_column + next_span * COLUMNS + fetched_pack * 8;
      const element* from = g + row * g_pitch + column;
      element* to = tiles + next_stage * TILE + fetched_at;
#pragma unroll 4
      for (int i = 0; i < ROWS / together; i++) {
        bool there = row < last_row && column < m;
        copy_async(to, there ? from : g, there);
        row += together, from += together * g_pitch, to += together * COLUMNS;
      }
      if (next_span == 0) {
        for (int at = t; at < ROWS * PACKS; at += THREADS) {
          int of_tile = at / PACKS, pack = at % PACKS;
          bool there = tile_row + of_tile < last_row;
          copy_async(xs + (next_block % STAGES * ROWS + of_tile) * PITCH + pack * 8,
                     there ? x + (tile_row + of_tile) * x_pitch + pack * 8 : x, there);
        }
      }
      next_stage = next_stage + 1 == STAGES ? 0 : next_stage + 1;
      if (++next_span == spans) next_span = 0, next_block++;
    }
    asm volatile("cp.async.commit_group;");  // an empty one at the end: what is waited for is counted in groups
  };

  for (int at = t; at < SPANS * COLUMNS * PACKS; at += THREADS) {
    int row = at / PACKS, pack = at % PACKS;
    bool there = first_column + row < m;
    copy_async(us + row * PITCH + pack * 8, there ? u + (long long)(first_column + row) * WIDTH + pack * 8 : u, there);
  }
#pragma unroll
  for (int i = 0; i < STAGES - 1; i++) fetch();

  float du[SPANS][BESIDE][PACKS][4] = {};
  int stage = 0;
  for (int block = 0; block < blocks; block++) {
    float dx[PACKS][4] = {};
    unsigned x_at = shared_address(xs + block % STAGES * ROWS * PITCH);
#pragma unroll
    for (int span = 0; span < SPANS; span++) {
      if (span < spans) {
        asm volatile("cp.async.wait_group %0;" ::"n"(STAGES - 2));
        __syncthreads();  // the tile is there for all, and the one that is overwritten now has been read by all
        fetch();
        const element* tile = tiles + stage * TILE;
#pragma unroll 2
        for (int k = 0; k < COLUMNS / 16; k++) {
          unsigned a[4], b[2];
          load_matrices(a, shared_address(tile + in_tile(warp * 16 + (lane & 15), k * 2 + (lane >> 4))));
#pragma unroll
          for (int j = 0; j < PACKS; j++) {
            load_transposed(b, shared_address(us + (span * COLUMNS + k * 16 + (lane & 15)) * PITCH + j * 8));
            multiply(dx[j], a, b);
          }
        }
#pragma unroll 2
        for (int k = 0; k < ROWS / 16; k++) {
          unsigned a[BESIDE][4], b[2];
#pragma unroll
          for (int i = 0; i < BESIDE; i++)
            load_transposed(a[i], shared_address(tile + in_tile(k * 16 + (lane & 7) + (lane >> 4) * 8,
                                                               (warp * BESIDE + i) * 2 + ((lane >> 3) & 1))));
#pragma unroll
          for (int j = 0; j < PACKS; j++) {
            load_transposed(b, x_at + ((k * 16 + (lane & 15)) * PITCH + j * 8) * 2);
#pragma unroll
            for (int i = 0; i < BESIDE; i++) multiply(du[span][i][j], a[i], b);
          }
        }
        stage = stage + 1 == STAGES ? 0 : stage + 1;
      }
    }
    int row = first_row + block * ROWS + warp * 16 + lane / 4;
#pragma unroll
    for (int j = 0; j < PACKS; j++) {
      float* to = dx_parts + (long long)row * dx_pitch + j * 8 + lane % 4 * 2;
      if (row < last_row) *reinterpret_cast<float2*>(to) = make_float2(dx[j][0], dx[j][1]);
      if (row + 8 < last_row) *reinterpret_cast<float2*>(to + 8 * dx_pitch) = make_float2(dx[j][2], dx[j][3]);
    }
  }
#pragma unroll
  for (int span = 0; span < SPANS; span++)
#pragma unroll
    for (int i = 0; i < BESIDE; i++) {
      int column = first_column + span * COLUMNS + (warp * BESIDE + i) * 16 + lane / 4;
#pragma unroll
      for (int j = 0; j < PACKS; j++) {
        const float* sum = du[span][i][j];
        float* to = du_parts + (long long)column * WIDTH + j * 8 + lane % 4 * 2;
        if (column < m) *reinterpret_cast<float2*>(to) = make_float2(sum[0], sum[1]);
        if (column + 8 < m) *reinterpret_cast<float2*>(to + 8 * WIDTH) = make_float2(sum[2], sum[3]);
      }
    }
}

__device__ __forceinline__ float4 summed(const float* from, long long apart, int count) {
  float4 sum = make_float4(0, 0, 0, 0);
#pragma unroll 8
  for (int i = 0; i < count; i++) {
    float4 part = *reinterpret_cast<const float4*>(from + i * apart);
    sum.x += part.x, sum.y += part.y, sum.z += part.z, sum.w += part.w;
  }
  return sum;
}

// du [m, WIDTH] is the sum of its parts, and dx [n, width] scale times that of its own, of which there are as many as
// its part of g has blocks beside each other. A thread has four neighbours.
extern "C" __global__ void narrow_products_sum(const float* __restrict__ dx_parts, int count0, int count1,
                                               int count2, const float* __restrict__ du_parts, int du_count,
                                               element* __restrict__ dx, long long dx_pitch,
                                               float* __restrict__ du, int n, int width, int m, float scale) {
  long long i = ((long long)blockIdx.x * blockDim.x + threadIdx.x) * 4;
  long long of_du = (long long)m * WIDTH, of_dx = (long long)n * width;
  if (i < of_du) {
    *reinterpret_cast<float4*>(du + i) = summed(du_parts + i, of_du, du_count);
  } else if (i - of_du < of_dx) {
    i -= of_du;
    int column = (int)(i % width), part = column / WIDTH;
    float4 sum = summed(dx_parts + i, of_dx, part == 0 ? count0 : part == 1 ? count1 : count2);
    element* to = dx + i / width * dx_pitch + column;
    to[0] = narrow(sum.x * scale), to[1] = narrow(sum.y * scale);
    to[2] = narrow(sum.z * scale), to[3] = narrow(sum.w * scale);
  }
}
