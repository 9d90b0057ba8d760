package dev.duoka.ffi.torch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.duoka.ffi.link.BoundFunction;
import dev.duoka.ffi.link.NativeFunctions;
import dev.duoka.ffi.link.SignatureAudit;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Field;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TorchSignatureTests {
  @Test
  void everyBoundFunctionHasItsPrototypesTypes() {
    Codes.dtype("float32");
    Codes.deviceType("cpu");
    assertThat(SignatureAudit.mismatches()).isEmpty();
  }

  @Test
  void everyHandleOfTheTableIsAudited() throws IllegalAccessException {
    Codes.dtype("float32"); // initialises the table
    List<BoundFunction> bound =
        NativeFunctions.bound().stream().filter(f -> f.library().equals("LibTorch")).toList();
    List<Field> handles =
        Arrays.stream(TorchFunctions.class.getDeclaredFields())
            .filter(f -> f.getType() == MethodHandle.class || f.getType() == Optional.class)
            .toList();
    for (Field field : handles) {
      Optional<?> handle =
          field.get(null) instanceof Optional<?> optional
              ? optional
              : Optional.ofNullable(field.get(null));
      if (handle.isPresent()) {
        assertThat(bound)
            .as(field.getName())
            .anyMatch(f -> f.type().toMethodType().equals(((MethodHandle) handle.get()).type()));
      }
    }
    assertThat(bound.stream().map(BoundFunction::name).distinct().count())
        .isGreaterThanOrEqualTo(handles.size());
  }
}
