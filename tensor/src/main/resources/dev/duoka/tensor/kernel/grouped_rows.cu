// y_g = x_g · W_gᵀ or x_g · W_g for groups of rows of x: the products of experts, and the gradients of what goes
// into them. One block for each multiprocessor. Behind hopper.cuh.

// Two numbers side by side, the first below.
__device__ __forceinline__ unsigned both(float x, float y) {
  unsigned bits;
#if ELEMENT == 1
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(y), "f"(x));
#else
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(y), "f"(x));
#endif
  return bits;
}

// Of two neighbouring lanes, or two apart, the one with the bit gives its a for the other's b.
__device__ __forceinline__ void swap(unsigned& a, unsigned& b, int distance) {
  bool upper = threadIdx.x & distance;
  unsigned got = __shfl_xor_sync(ALL_LANES, upper ? a : b, distance);
  if (upper)
    a = got;
  else
    b = got;
}

// BY_ROWS: the columns of the result are rows of W, which is [groups, m, k]; otherwise it is [groups, k, m].
// ends: where the rows of each group end.
template <bool BY_ROWS>
__device__ __forceinline__ void grouped(const TensorMap& x, const TensorMap& w, const int* __restrict__ ends,
                                        element* __restrict__ y, int groups, int k, int m) {
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

  int columns = (m + TILE_N - 1) / TILE_N;
  int step = 0;  // counts the steps of all tiles: its stage is step % STAGES, its round step / STAGES
  int group = -1, start = 0, end = 0, lines = 0, before = 0;
  for (int t = blockIdx.x;; t += gridDim.x) {
    while (group < groups && t >= before + lines * columns) {
      before += lines * columns;
      group++;
      start = end;
      end = group < groups ? ends[group] : end;
      lines = (end - start + TILE_M - 1) / TILE_M;
    }
    if (group >= groups) break;
    int within = t - before;
    int first = start + within % lines * TILE_M, from = within / lines * TILE_N;
    if (consumer == CONSUMERS) {
      if (threadIdx.x == 128 * CONSUMERS) {
        for (int at = 0; at < k; at += DEPTH, step++) {
          int s = step % STAGES;
          unsigned full = shared_address(&filled[s]), place = ring + s * STAGE;
          barrier_wait(shared_address(&emptied[s]), (step / STAGES & 1) ^ 1);
          expect(full, STAGE);
          for (int i = 0; i < CONSUMERS; i++) fetch(place + i * BOX, &x, at, first + i * 64, full);
          place += CONSUMERS * BOX;
          // What is beyond the group's columns is not stored; beyond k, x has zeros.
          for (int i = 0; i < TILE_N / WIDTH; i++)
            if (BY_ROWS)
              fetch(place + i * BOX, &w, at, group * m + from + i * 64, full);
            else
              fetch(place + i * BOX, &w, from + i * WIDTH, group * k + at, full);
        }
      }
      continue;
    }

    if (first + consumer * 64 >= end) {  // a group's last tile may leave one without rows
      for (int at = 0; at < k; at += DEPTH, step++) {
        barrier_wait(shared_address(&filled[step % STAGES]), step / STAGES & 1);
        if ((threadIdx.x & 127) == 0) barrier_arrive(shared_address(&emptied[step % STAGES]));
      }
      continue;
    }
    float sum[SUMS];
#pragma unroll
    for (int i = 0; i < SUMS; i++) sum[i] = 0;
    for (int at = 0; at < k; at += DEPTH, step++) {
      int s = step % STAGES;
      unsigned of_x = ring + s * STAGE + consumer * BOX, of_w = ring + s * STAGE + CONSUMERS * BOX;
      barrier_wait(shared_address(&filled[s]), step / STAGES & 1);
      settle(sum);
      asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
      for (int i = 0; i < DEPTH / 16; i++)
        if (BY_ROWS)
          multiply_rows(sum, tile_of_rows(of_x + i * 32), tile_of_rows(of_w + i * 32));
        else
          multiply_mixed(sum, tile_of_rows(of_x + i * 32), tile(of_w + i * 2048));
      asm volatile("wgmma.commit_group.sync.aligned;\nwgmma.wait_group.sync.aligned 1;" ::: "memory");
      // With the products of this step under way, those of the one before are done.
      if (at > 0 && (threadIdx.x & 127) == 0) barrier_arrive(shared_address(&emptied[(step - 1) % STAGES]));
    }
    asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
    settle(sum);
    if ((threadIdx.x & 127) == 0) barrier_arrive(shared_address(&emptied[(step - 1) % STAGES]));

    // A thread has two neighbouring columns of every eight, in two rows eight apart. Four threads of a row put
    // theirs together: each then has eight neighbouring columns, 16 bytes.
    int lane = threadIdx.x & 3;
    int row = first + consumer * 64 + (threadIdx.x >> 5 & 3) * 16 + (threadIdx.x & 31) / 4;
#pragma unroll
    for (int half = 0; half < 2; half++) {
#pragma unroll
      for (int j = 0; j < TILE_N / 8; j += 4) {
        unsigned p[4];
#pragma unroll
        for (int i = 0; i < 4; i++) p[i] = both(sum[(j + i) * 4 + half * 2], sum[(j + i) * 4 + half * 2 + 1]);
        swap(p[0], p[1], 1);
        swap(p[2], p[3], 1);
        swap(p[0], p[2], 2);
        swap(p[1], p[3], 2);
        int column = from + (j + lane) * 8, line = row + half * 8;
        if (line < end && column < m)
          *reinterpret_cast<uint4*>(y + (long long)line * m + column) = make_uint4(p[0], p[1], p[2], p[3]);
      }
    }
  }
}

extern "C" __global__ void __launch_bounds__(128 * CONSUMERS + 32, 1)
    by_rows(const __grid_constant__ TensorMap x, const __grid_constant__ TensorMap w, const int* __restrict__ ends,
            element* __restrict__ y, int groups, int k, int m) {
  grouped<true>(x, w, ends, y, groups, k, m);
}

extern "C" __global__ void __launch_bounds__(128 * CONSUMERS + 32, 1)
    by_columns(const __grid_constant__ TensorMap x, const __grid_constant__ TensorMap w,
               const int* __restrict__ ends, element* __restrict__ y, int groups, int k, int m) {
  grouped<false>(x, w, ends, y, groups, k, m);
}
