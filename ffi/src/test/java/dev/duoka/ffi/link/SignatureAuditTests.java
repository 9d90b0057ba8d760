package dev.duoka.ffi.link;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.FunctionDescriptor;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The audit itself must notice what it is there for. */
class SignatureAuditTests {
  private static final Prototypes PROTOTYPES =
      Prototypes.parse(
          """
          /* comment; with a semicolon */
          typedef struct Thing *Handle;
          typedef int Status;
          typedef struct Pair { int a; long b; } Pair;
          Status f(Handle handle, const char *const *names, unsigned long long size, double x);
          void g(void);
          """);

  private static List<String> audit(String name, FunctionDescriptor type) {
    return SignatureAudit.mismatches(
        List.of(new BoundFunction("a library", name, type)), PROTOTYPES);
  }

  @Test
  void acceptsWhatMatches() {
    assertThat(
            audit("f", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_DOUBLE)))
        .isEmpty();
    assertThat(audit("g", FunctionDescriptor.ofVoid())).isEmpty();
  }

  @Test
  void noticesWidths() {
    assertThat(
            audit("f", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS, JAVA_INT, JAVA_DOUBLE)))
        .hasSize(1);
    assertThat(
            audit("f", FunctionDescriptor.of(JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_DOUBLE)))
        .hasSize(1);
    assertThat(
            audit("f", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_FLOAT)))
        .hasSize(1);
    assertThat(
            audit(
                "f", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_DOUBLE)))
        .hasSize(1);
    assertThat(audit("f", FunctionDescriptor.ofVoid(JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_DOUBLE)))
        .hasSize(1);
  }

  @Test
  void noticesMissingAndSuperfluousArguments() {
    assertThat(audit("f", FunctionDescriptor.of(JAVA_INT, JAVA_LONG, ADDRESS, JAVA_LONG)))
        .hasSize(1);
    assertThat(audit("g", FunctionDescriptor.ofVoid(JAVA_INT))).hasSize(1);
  }

  @Test
  void asksForAPrototypeThatIsNotThere() {
    assertThatThrownBy(() -> audit("h", FunctionDescriptor.ofVoid()))
        .hasMessageContaining("h is bound but not in prototypes.h");
  }
}
