// Rotary position embedding (Su et al., arXiv:2104.09864) and the copies around it. Tables are fp32
// [positions, half]: cosine and sine of pair i at a position. Pairs are (i, i + half), or (2i, 2i + 1)
// when interleaved. direction −1 rotates back.

// Rotates PACK elements at a time; first and second are the halves' packs, or one pack is enough.
__device__ __forceinline__ void rotate_halves(Pack& first, Pack& second, const float* cosine,
                                              const float* sine, float direction) {
#pragma unroll
  for (int i = 0; i < PACK; i++) {
    float a = widen(first.at[i]), b = widen(second.at[i]), c = cosine[i], s = direction * sine[i];
    first.at[i] = narrow(a * c - b * s);
    second.at[i] = narrow(b * c + a * s);
  }
}

__device__ __forceinline__ void rotate_neighbours(Pack& pack, const float* cosine, const float* sine,
                                                  float direction) {
#pragma unroll
  for (int i = 0; i < PACK / 2; i++) {
    float a = widen(pack.at[2 * i]), b = widen(pack.at[2 * i + 1]), c = cosine[i], s = direction * sine[i];
    pack.at[2 * i] = narrow(a * c - b * s);
    pack.at[2 * i + 1] = narrow(b * c + a * s);
  }
}

// One head's columns from `from` to `to`, the last `rotated` of `width` columns rotated. Work items
// are packs; item counts them within the head.
__device__ __forceinline__ void move_head(const element* from, element* to, int item, int width, int rotated,
                                          const float* cosine, const float* sine, int interleaved,
                                          float direction) {
  int plain = (width - rotated) / PACK;
  if (item < plain) {
    if (from != to) store(to + item * PACK, load(from + item * PACK));
    return;
  }
  item -= plain;
  from += width - rotated;
  to += width - rotated;
  if (interleaved) {
    Pack pack = load(from + item * PACK);
    int pair = item * PACK / 2;
    rotate_neighbours(pack, cosine + pair, sine + pair, direction);
    store(to + item * PACK, pack);
  } else {
    int half = rotated / 2, column = item * PACK;
    if (column < half) { // this item does its partner in the other half, too
      Pack first = load(from + column), second = load(from + half + column);
      rotate_halves(first, second, cosine + column, sine + column, direction);
      store(to + column, first);
      store(to + half + column, second);
    }
  }
}

// Copies heads from one layout to another (or onto itself), rotating the last columns of each. One
// block a token; strides in elements.
extern "C" __global__ void move_heads(const element* from, element* to, const float* __restrict__ cosines,
                                      const float* __restrict__ sines, int length, int heads, int width,
                                      int rotated, int interleaved, int first_position, float direction,
                                      long long from_batch, long long from_token, long long from_head,
                                      long long to_batch, long long to_token, long long to_head) {
  int batch = blockIdx.x / length, token = blockIdx.x % length;
  long long table = (long long)(first_position + token) * (rotated / 2);
  from += batch * from_batch + token * from_token;
  to += batch * to_batch + token * to_token;
  int items = width / PACK, skipped = from == to ? (width - rotated) / PACK : 0;
  int active = items - skipped;
  for (int i = threadIdx.x; i < heads * active; i += blockDim.x) {
    int head = i / active, item = i % active + skipped;
    move_head(from + head * from_head, to + head * to_head, item, width, rotated, cosines + table,
              sines + table, interleaved, direction);
  }
}

// The keys of latent attention: per head the first `nope` columns of the latent's head, then the
// token's one rotated part for all heads. latent [n, heads, latent_width], shared rows of `rope`
// columns a stride apart, key [n, heads, nope + rope].
extern "C" __global__ void latent_keys(const element* __restrict__ latent, const element* __restrict__ shared,
                                       long long shared_stride, element* __restrict__ key,
                                       const float* __restrict__ cosines, const float* __restrict__ sines,
                                       int length, int heads, int nope, int rope, int latent_width,
                                       int interleaved, int first_position) {
  __shared__ __align__(16) element rotated[256];
  long long token = blockIdx.x;
  long long table = (first_position + token % length) * (rope / 2);
  if (threadIdx.x < rope / PACK)
    move_head(shared + token * shared_stride, rotated, threadIdx.x, rope, rope, cosines + table,
              sines + table, interleaved, 1.0f);
  __syncthreads();
  int width = nope + rope, items = width / PACK;
  for (int i = threadIdx.x; i < heads * items; i += blockDim.x) {
    int head = i / items, column = i % items * PACK;
    Pack pack = column < nope ? load(latent + (token * heads + head) * latent_width + column)
                              : load(rotated + column - nope);
    store(key + (token * heads + head) * width + column, pack);
  }
}

// The gradients of latent_keys, joined with those of the values: dlatent [n, heads, nope + value] and
// dshared [n, rope]. Keys and values have the strides given, [b, t, h].
extern "C" __global__ void latent_backward(const element* __restrict__ dkey, const element* __restrict__ dvalue,
                                           element* __restrict__ dlatent, element* __restrict__ dshared,
                                           const float* __restrict__ cosines, const float* __restrict__ sines,
                                           int length, int heads, int nope, int rope, int value,
                                           int interleaved, int first_position, long long key_batch,
                                           long long key_token, long long key_head, long long value_batch,
                                           long long value_token, long long value_head) {
  __shared__ float sums[256];
  __shared__ __align__(16) element summed[256];
  long long token = blockIdx.x;
  int batch = blockIdx.x / length, position = blockIdx.x % length;
  dkey += batch * key_batch + position * key_token;
  dvalue += batch * value_batch + position * value_token;
  int width = nope + value, items = width / PACK;
  for (int i = threadIdx.x; i < heads * items; i += blockDim.x) {
    int head = i / items, column = i % items * PACK;
    Pack pack = column < nope ? load(dkey + head * key_head + column)
                              : load(dvalue + head * value_head + column - nope);
    store(dlatent + (token * heads + head) * width + column, pack);
  }
  for (int column = threadIdx.x; column < rope; column += blockDim.x) {
    float sum = 0;
    for (int head = 0; head < heads; head++) sum += widen(dkey[head * key_head + nope + column]);
    sums[column] = sum;
  }
  __syncthreads();
  for (int column = threadIdx.x; column < rope; column += blockDim.x) summed[column] = narrow(sums[column]);
  __syncthreads();
  long long table = (long long)(first_position + position) * (rope / 2);
  if (threadIdx.x < rope / PACK)
    move_head(summed, dshared + token * rope, threadIdx.x, rope, rope, cosines + table, sines + table,
              interleaved, -1.0f);
}
