// Weights in NF4 (Dettmers et al., arXiv:2305.14314) as numbers again. A rectangle of a tensor has its
// codes row by row, two in a byte, the first in the upper half; then, where scales are in 8 bits, the
// tensor's mean and the maxima that its scales are relative to; then the scales of the blocks of 64
// elements of the whole tensor that each of its rows touches.

// The sixteen values in the order of their codes.
__constant__ float VALUES[16] = {
    -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
    -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
    0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
    0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f,
};

// The positive values of the signed dynamic map but 1, which scales in 8 bits are of. Codes 0 to 126
// are these with a minus, the largest first; 127 is 0, 128 to 254 are these, and 255 is 1.
__constant__ float POSITIVE[127] = {
    5.499999815583578e-07f, 3.2499999633728294e-06f, 7.749999895168003e-06f, 2.1249999917927198e-05f, 4.374999844003469e-05f,
    6.625000241911039e-05f, 8.874999912222847e-05f, 0.00015624999650754035f, 0.00026875000912696123f, 0.00038124999264255166f,
    0.0004937499761581421f, 0.0006062500178813934f, 0.0007187500013969839f, 0.0008312499849125743f, 0.0009437500266358256f,
    0.0012812500353902578f, 0.001843750011175871f, 0.002406249986961484f, 0.002968749962747097f, 0.00353124993853271f,
    0.004093749914318323f, 0.00465625012293458f, 0.005218749865889549f, 0.005781250074505806f, 0.006343749817460775f,
    0.006906250026077032f, 0.0074687497690320015f, 0.008031249977648258f, 0.008593750186264515f, 0.009156250394880772f,
    0.009718749672174454f, 0.011406250298023224f, 0.014218750409781933f, 0.017031250521540642f, 0.019843749701976776f,
    0.02265625074505806f, 0.025468749925494194f, 0.02828124910593033f, 0.031093750149011612f, 0.033906251192092896f,
    0.03671874850988388f, 0.039531249552965164f, 0.04234375059604645f, 0.04515625163912773f, 0.047968748956918716f,
    0.05078125f, 0.053593751043081284f, 0.05640624836087227f, 0.05921874940395355f, 0.062031250447034836f,
    0.06484375149011612f, 0.0676562488079071f, 0.07046875357627869f, 0.07328125089406967f, 0.07609374821186066f,
    0.07890625298023224f, 0.08171875029802322f, 0.08453124761581421f, 0.08734375238418579f, 0.09015624970197678f,
    0.09296874701976776f, 0.09578125178813934f, 0.09859374910593033f, 0.10703124850988388f, 0.12109375f,
    0.13515624403953552f, 0.14921875298023224f, 0.16328124701976776f, 0.17734375596046448f, 0.19140625f,
    0.20546874403953552f, 0.21953125298023224f, 0.23359374701976776f, 0.24765625596046448f, 0.26171875f,
    0.2757812440395355f, 0.28984373807907104f, 0.30390626192092896f, 0.3179687559604645f, 0.33203125f,
    0.3460937440395355f, 0.36015623807907104f, 0.37421876192092896f, 0.3882812559604645f, 0.40234375f,
    0.4164062440395355f, 0.43046873807907104f, 0.44453126192092896f, 0.4585937559604645f, 0.47265625f,
    0.4867187440395355f, 0.500781238079071f, 0.514843761920929f, 0.5289062261581421f, 0.54296875f,
    0.5570312738418579f, 0.571093738079071f, 0.585156261920929f, 0.5992187261581421f, 0.61328125f,
    0.6273437738418579f, 0.641406238079071f, 0.655468761920929f, 0.6695312261581421f, 0.68359375f,
    0.6976562738418579f, 0.711718738079071f, 0.725781261920929f, 0.7398437261581421f, 0.75390625f,
    0.7679687738418579f, 0.782031238079071f, 0.796093761920929f, 0.8101562261581421f, 0.82421875f,
    0.8382812738418579f, 0.852343738079071f, 0.866406261920929f, 0.8804687261581421f, 0.89453125f,
    0.9085937738418579f, 0.922656238079071f, 0.936718761920929f, 0.9507812261581421f, 0.96484375f,
    0.9789062738418579f, 0.992968738079071f,
};

#define BLOCK_SHIFT 6        // 64 elements share a scale
#define SCALE_BLOCK_SHIFT 8  // 256 scales share a maximum
#define TOGETHER 8           // elements that a thread makes at once

// Rounded after each operation, as the composition of operators is.
__device__ __forceinline__ float scale_of(const unsigned char* scales, const float* floats, const float* map,
                                          long long place, long long block, long long first_maximum,
                                          int doubled) {
  if (!doubled) return reinterpret_cast<const float*>(scales)[place];
  float maximum = floats[1 + (block >> SCALE_BLOCK_SHIFT) - first_maximum];
  return __fadd_rn(__fmul_rn(map[scales[place]], maximum), floats[0]);
}

// Each y of the grid is one rectangle; its threads go through it eight elements at a time. Where these
// go together they are of one row and one block, and of one or two wide stores.
extern "C" __global__ void dequantize(const unsigned char* __restrict__ packed, element* __restrict__ target,
                                      long long bytes, long long elements, long long rows, long long width,
                                      long long target_pitch, long long first, long long pitch,
                                      long long per_row, long long floats_at, long long scales_at, int doubled,
                                      int together) {
  __shared__ float values[16];
  __shared__ float map[256];
  int t = threadIdx.x;
  if (t < 16) values[t] = VALUES[t];
  map[t] = t < 127 ? -POSITIVE[126 - t] : t == 127 ? 0.0f : t < 255 ? POSITIVE[t - 128] : 1.0f;
  __syncthreads();
  const unsigned char* piece = packed + blockIdx.y * bytes;
  const float* floats = reinterpret_cast<const float*>(piece + floats_at);
  const unsigned char* scales = piece + scales_at;
  element* out = target + blockIdx.y * elements;
  long long size = rows * width;
  long long first_maximum = first >> (BLOCK_SHIFT + SCALE_BLOCK_SHIFT);
  long long step = (long long)gridDim.x * blockDim.x * TOGETHER;
  for (long long i = ((long long)blockIdx.x * blockDim.x + t) * TOGETHER; i < size; i += step) {
    unsigned codes = *reinterpret_cast<const unsigned*>(piece + i / 2);
    long long row = rows == 1 ? 0 : i / width;
    long long column = i - row * width;
    if (together) {
      long long start = first + row * pitch;
      long long block = (start + column) >> BLOCK_SHIFT;
      long long place = row * per_row + block - (start >> BLOCK_SHIFT);
      float scale = scale_of(scales, floats, map, place, block, first_maximum, doubled);
      element* to = out + row * target_pitch + column;
#pragma unroll
      for (int part = 0; part < TOGETHER / PACK; part++) {
        Pack pack;
#pragma unroll
        for (int k = 0; k < PACK; k++) {
          int at = part * PACK + k;
          unsigned code = codes >> (8 * (at / 2) + (at % 2 == 0 ? 4 : 0)) & 15u;
          pack.at[k] = narrow(__fmul_rn(values[code], scale));
        }
        store(to + part * PACK, pack);
      }
    } else {
      for (int k = 0; k < TOGETHER && i + k < size; k++) {
        if (column == width) row++, column = 0;
        long long start = first + row * pitch;
        long long block = (start + column) >> BLOCK_SHIFT;
        long long place = row * per_row + block - (start >> BLOCK_SHIFT);
        unsigned code = codes >> (8 * (k / 2) + (k % 2 == 0 ? 4 : 0)) & 15u;
        float scale = scale_of(scales, floats, map, place, block, first_maximum, doubled);
        out[row * target_pitch + column] = narrow(__fmul_rn(values[code], scale));
        column++;
      }
    }
  }
}
