// target[g] (+)= a_gᵀ · b_g for groups of rows: the weight gradients of experts, accumulated in fp32.
// Needs compute capability 9.0: the copy engine brings tiles of both matrices into a ring in shared
// memory while two groups of four warps multiply. One block for each multiprocessor.
//
#if ELEMENT == 1
#define OPERANDS "bf16.bf16"
#else
#define OPERANDS "f16.f16"
#endif

#define DEPTH 64                 // rows of a step
#define WIDTH 64                 // columns of a box: 128 bytes, the widest swizzle
#define BOX (DEPTH * WIDTH * 2)  // bytes of a box
#define CONSUMERS 2              // groups of four warps that multiply, each 64 columns of a
#define TILE_M (CONSUMERS * WIDTH)
#define TILE_N 256
#define SUMS (TILE_N / 2)        // of a thread: 64 · TILE_N over 128 threads
#define STAGE (BOX * (TILE_M + TILE_N) / WIDTH)
#define STAGES 4

typedef unsigned long long u64;
struct __align__(64) TensorMap {
  u64 words[16];
};

__device__ __forceinline__ unsigned shared_address(const void* pointer) {
  return (unsigned)__cvta_generic_to_shared(pointer);
}

__device__ __forceinline__ void barrier_init(unsigned barrier, int count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(count));
}

__device__ __forceinline__ void barrier_wait(unsigned barrier, int parity) {
  asm volatile(
      "{\n.reg .pred done;\nAGAIN:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@!done bra AGAIN;\n}\n" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

__device__ __forceinline__ void barrier_arrive(unsigned barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

__device__ __forceinline__ void expect(unsigned barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}

// Has the copy engine bring a box, which the barrier counts; what lies outside of the matrix is zero.
__device__ __forceinline__ void fetch(unsigned to, const TensorMap* from, int column, int row, unsigned barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(
          to),
      "l"(from), "r"(column), "r"(row), "r"(barrier)
      : "memory");
}

// Where the tensor cores find a tile of 128-byte rows: boxes of 64 columns one after the other, groups
// of 8 rows in each 1,024 bytes apart, 16-byte pieces swizzled.
__device__ __forceinline__ u64 tile(unsigned address) {
  return (u64)((address & 0x3ffff) >> 4) | (u64)(BOX >> 4) << 16 | (u64)(1024 >> 4) << 32 | 1ull << 62;
}

// d += aᵀ · b for 64 of a's columns and 256 of b's, over 16 rows of both: one instruction of the four
// warps of a group. Both tiles lie in shared memory as they lie in device memory, the columns of a row
// together ("MN-major"), hence the last two ones.
__device__ __forceinline__ void multiply(float (&d)[SUMS], u64 a, u64 b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n256k16.f32." OPERANDS " {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, "
      "%128, %129, 1, 1, 1, 1, 1;"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]), "+f"(d[4]), "+f"(d[5]), "+f"(d[6]), "+f"(d[7]),
        "+f"(d[8]), "+f"(d[9]), "+f"(d[10]), "+f"(d[11]), "+f"(d[12]), "+f"(d[13]), "+f"(d[14]), "+f"(d[15]),
        "+f"(d[16]), "+f"(d[17]), "+f"(d[18]), "+f"(d[19]), "+f"(d[20]), "+f"(d[21]), "+f"(d[22]), "+f"(d[23]),
        "+f"(d[24]), "+f"(d[25]), "+f"(d[26]), "+f"(d[27]), "+f"(d[28]), "+f"(d[29]), "+f"(d[30]), "+f"(d[31]),
        "+f"(d[32]), "+f"(d[33]), "+f"(d[34]), "+f"(d[35]), "+f"(d[36]), "+f"(d[37]), "+f"(d[38]), "+f"(d[39]),
        "+f"(d[40]), "+f"(d[41]), "+f"(d[42]), "+f"(d[43]), "+f"(d[44]), "+f"(d[45]), "+f"(d[46]), "+f"(d[47]),
        "+f"(d[48]), "+f"(d[49]), "+f"(d[50]), "+f"(d[51]), "+f"(d[52]), "+f"(d[53]), "+f"(d[54]), "+f"(d[55]),
        "+f"(d[56]), "+f"(d[57]), "+f"(d[58]), "+f"(d[59]), "+f"(d[60]), "+f"(d[61]), "+f"(d[62]), "+f"(d[63]),
        "+f"(d[64]), "+f"(d[65]), "+f"(d[66]), "+f"(d[67]), "+f"(d[68]), "+f"(d[69]), "+f"(d[70]), "+f"(d[71]),
        "+f"(d[72]), "+f"(d[73]), "+f"(d[74]), "+f"(d[75]), "+f"(d[76]), "+f"(d[77]), "+f"(d[78]), "+f"(d[79]),
        "+f"(d[80]), "+f"(d[81]), "+f"(d[82]), "+f"(d[83]), "+f"(d[84]), "+f"(d[85]), "+f"(d[86]), "+f"(d[87]),
        "+f"(d[88]), "+f"(d[89]), "+f"(d[90]), "+f"(d[91]), "+f"(d[92]), "+f"(d[93]), "+f"(d[94]), "+f"(d[95]),
        "+f"(d[96]), "+f"(d[97]), "+f"(d[98]), "+f"(d[99]), "+f"(d[100]), "+f"(d[101]), "+f"(d[102]), "+f"(d[103]),
        "+f"(d[104]), "+f"(d[105]), "+f"(d[106]), "+f"(d[107]), "+f"(d[108]), "+f"(d[109]), "+f"(d[110]), "+f"(d[111]),
        "+f"(d[112]), "+f"(d[113]), "+f"(d[114]), "+f"(d[115]), "+f"(d[116]), "+f"(d[117]), "+f"(d[118]), "+f"(d[119]),
        "+f"(d[120]), "+f"(d[121]), "+f"(d[122]), "+f"(d[123]), "+f"(d[124]), "+f"(d[125]), "+f"(d[126]), "+f"(d[127])
      : "l"(a), "l"(b));
}

// A block works through tiles of the targets. ends: where the rows of each group end.
extern "C" __global__ void __launch_bounds__(128 * CONSUMERS + 32, 1)
    grouped_outer(const __grid_constant__ TensorMap a, const __grid_constant__ TensorMap b, const int* __restrict__ ends,
                  float* __restrict__ target, int groups, int m, int n, int add) {
  extern __shared__ char memory[];
  __shared__ __align__(8) u64 filled[STAGES], emptied[STAGES];
  unsigned ring = (shared_address(memory) + 1023) & ~1023u;
  int consumer = threadIdx.x >> 7;
  if (threadIdx.x == 0) {
    for (int s = 0; s < STAGES; s++) {
      barrier_init(shared_address(&filled[s]), 1);
      barrier_init(shared_address(&emptied[s]), CONSUMERS);
    }
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  }
  __syncthreads();

  int columns = (n + TILE_N - 1) / TILE_N, lines = (m + TILE_M - 1) / TILE_M, tiles = groups * columns * lines;
  int step = 0;  // counts the steps of all tiles: its stage is step % STAGES, its round step / STAGES
  for (int t = blockIdx.x; t < tiles; t += gridDim.x) {
    int group = t / (columns * lines), within = t % (columns * lines);
    int from_a = within % lines * TILE_M, from_b = within / lines * TILE_N;
    int start = group == 0 ? 0 : ends[group - 1], end = ends[group];
    if (consumer == CONSUMERS) {
      if (threadIdx.x == 128 * CONSUMERS) {
        for (int row = start; row < end; row += DEPTH, step++) {
          int s = step % STAGES;
          unsigned full = shared_address(&filled[s]), place = ring + s * STAGE;
          barrier_wait(shared_address(&emptied[s]), (step / STAGES & 1) ^ 1);
          expect(full, STAGE);
          for (int i = 0; i < TILE_M / WIDTH; i++) fetch(place + i * BOX, &a, from_a + i * WIDTH, row, full);
          place += TILE_M / WIDTH * BOX;
          for (int i = 0; i < TILE_N / WIDTH; i++) fetch(place + i * BOX, &b, from_b + i * WIDTH, row, full);
        }
      }
      continue;
    }

    float sum[SUMS];
#pragma unroll
    for (int i = 0; i < SUMS; i++) sum[i] = 0;
    for (int row = start; row < end; row += DEPTH, step++) {
      int s = step % STAGES;
      unsigned of_a = ring + s * STAGE + consumer * BOX, of_b = ring + s * STAGE + TILE_M / WIDTH * BOX;
      barrier_wait(shared_address(&filled[s]), step / STAGES & 1);
      if (end - row < DEPTH) {
        // The rows after the group's last belong to the next one: zeros in a keep them out, as long as
        // those of b are finite; where they are not, the step is skipped anyway.
        for (int i = (end - row) * 8 + (threadIdx.x & 127); i < DEPTH * 8; i += 128)
          asm volatile("st.shared.v4.b32 [%0], {%1, %1, %1, %1};" ::"r"(of_a + i * 16), "r"(0) : "memory");
        asm volatile("fence.proxy.async.shared::cta;\nbar.sync %0, 128;" ::"r"(consumer + 1) : "memory");
      }
#pragma unroll
      for (int i = 0; i < SUMS; i++) asm volatile("" : "+f"(sum[i])::"memory");
      asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
      for (int k = 0; k < DEPTH / 16; k++) multiply(sum, tile(of_a + k * 2048), tile(of_b + k * 2048));
      asm volatile("wgmma.commit_group.sync.aligned;\nwgmma.wait_group.sync.aligned 1;" ::: "memory");
      // With the products of this step under way, those of the one before are done.
      if (row > start && (threadIdx.x & 127) == 0) barrier_arrive(shared_address(&emptied[(step - 1) % STAGES]));
    }
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
#pragma unroll
    for (int i = 0; i < SUMS; i++) asm volatile("" : "+f"(sum[i])::"memory");
    if (end > start && (threadIdx.x & 127) == 0) barrier_arrive(shared_address(&emptied[(step - 1) % STAGES]));

    // A thread has two neighbouring columns of every eight, in two rows eight apart.
    float* corner = target + (long long)group * m * n + from_b + threadIdx.x % 4 * 2;
    int first = from_a + consumer * WIDTH + (threadIdx.x >> 5 & 3) * 16 + (threadIdx.x & 31) / 4;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int line = first + half * 8;
      if (line >= m) continue;
#pragma unroll
      for (int j = 0; j < TILE_N / 8; j++) {
        if (from_b + j * 8 >= n) continue;
        float* place = corner + (long long)line * n + j * 8;
        float x = sum[j * 4 + half * 2], y = sum[j * 4 + half * 2 + 1];
        if (add)  // by the memory itself; each element is added to once, so the order is no matter
          asm volatile("red.relaxed.gpu.global.add.v2.f32 [%0], {%1, %2};" ::"l"(place), "f"(x), "f"(y) : "memory");
        else
          *reinterpret_cast<float2*>(place) = make_float2(x, y);
      }
    }
  }
}
