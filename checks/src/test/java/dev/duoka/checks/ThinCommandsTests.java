package dev.duoka.checks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.OperatorInstruction;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;

/** Commands parse and print; what they print was computed below. */
final class ThinCommandsTests {
  @Test
  void commandsComputeNoFractions() throws IOException {
    assertThat(fractions("cli")).isEmpty();
  }

  /** The same search finds what there is in a module that does compute. */
  @Test
  void theSearchFindsComputation() throws IOException {
    assertThat(fractions("planner")).hasSizeGreaterThan(50);
  }

  /** Methods of a module that add, subtract, multiply or divide floating-point numbers. */
  private static List<String> fractions(String module) throws IOException {
    List<String> found = new ArrayList<>();
    try (JarFile jar = new JarFile(Repository.jar(module).toFile())) {
      for (JarEntry entry : jar.stream().filter(it -> it.getName().endsWith(".class")).toList()) {
        try (InputStream bytes = jar.getInputStream(entry)) {
          collect(ClassFile.of().parse(bytes.readAllBytes()), found);
        }
      }
    }
    return found;
  }

  private static void collect(ClassModel type, List<String> found) {
    for (MethodModel method : type.methods()) {
      boolean computes =
          method.code().stream()
              .flatMap(code -> code.elementStream())
              .anyMatch(
                  element ->
                      element instanceof OperatorInstruction operation && isOfFractions(operation));
      if (computes) {
        found.add(type.thisClass().asInternalName() + "." + method.methodName());
      }
    }
  }

  private static boolean isOfFractions(OperatorInstruction operation) {
    return (operation.typeKind() == TypeKind.DOUBLE || operation.typeKind() == TypeKind.FLOAT)
        && !operation.opcode().name().contains("CMP");
  }
}
