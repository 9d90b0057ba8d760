package dev.duoka.ffi.nvml;

import java.util.List;

/**
 * What an NVML function returned.
 *
 * @param code NVML's return code, 0 for success
 * @param numbers all numbers of the results in order, those inside structs included; 32-bit ones as
 *     unsigned values
 * @param text the text of the results, empty where there is none; of a struct its last text
 */
record NvmlReply(int code, List<Long> numbers, String text) {
  static final int SUCCESS = 0;

  NvmlReply {
    numbers = List.copyOf(numbers);
  }

  static NvmlReply of(long number) {
    return new NvmlReply(SUCCESS, List.of(number), "");
  }

  static NvmlReply failed(int code) {
    return new NvmlReply(code, List.of(), "");
  }

  long number(int index) {
    return numbers.get(index);
  }
}
