// target[g] (+)= a_gᵀ · b_g for groups of rows: the weight gradients of experts, accumulated in fp32.
// One block for each multiprocessor. Behind hopper.cuh.

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
      settle(sum);
      asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
      for (int k = 0; k < DEPTH / 16; k++) multiply_columns(sum, tile(of_a + k * 2048), tile(of_b + k * 2048));
      asm volatile("wgmma.commit_group.sync.aligned;\nwgmma.wait_group.sync.aligned 1;" ::: "memory");
      // With the products of this step under way, those of the one before are done.
      if (row > start && (threadIdx.x & 127) == 0) barrier_arrive(shared_address(&emptied[(step - 1) % STAGES]));
    }
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
    settle(sum);
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
