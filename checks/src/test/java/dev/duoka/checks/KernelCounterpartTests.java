package dev.duoka.checks;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * An operator has one truth, a composition of ATen operators: whoever launches one of our CUDA
 * kernels asks first whether it serves, which {@code -Dduoka.kernels=false} denies for all of them,
 * and what uses it stands in a table or test that compares the two on a GPU.
 */
final class KernelCounterpartTests {
  private static final String PACKAGE = "dev.duoka.tensor.kernel";
  private static final String FAMILY = PACKAGE + ".KernelFamily";

  private static final JavaClasses CLASSES = ModuleClasses.ALL;

  /** The classes that launch kernels of a CUDA source. */
  static List<JavaClass> kernels() {
    return CLASSES.stream()
        .filter(type -> type.getPackageName().equals(PACKAGE))
        .filter(
            type ->
                type.getFields().stream()
                    .anyMatch(field -> field.getRawType().getName().equals(FAMILY)))
        .filter(type -> !type.getName().equals(FAMILY))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void theSwitchTurnsTheKernelOff(JavaClass kernel) {
    assertThat(questions(kernel))
        .as("methods of %s that ask KernelFamily.serve", kernel.getSimpleName())
        .isNotEmpty();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void whoLaunchesTheKernelAsksWhetherItServes(JavaClass kernel) {
    Set<String> questions =
        questions(kernel).stream().map(JavaMethod::getName).collect(Collectors.toSet());
    Set<String> asking = new TreeSet<>();
    for (JavaClass user : users(kernel)) {
      user.getMethodCallsFromSelf().stream()
          .filter(call -> call.getTargetOwner().equals(kernel))
          .filter(call -> questions.contains(call.getTarget().getName()))
          .forEach(_ -> asking.add(user.getSimpleName()));
    }
    assertThat(asking).as("users of %s that ask first", kernel.getSimpleName()).isNotEmpty();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void theKernelIsComparedWithItsCounterpart(JavaClass kernel) {
    Set<String> names =
        users(kernel).stream().map(JavaClass::getSimpleName).collect(Collectors.toSet());
    names.add(kernel.getSimpleName());
    Pattern named = Pattern.compile("\\b(?:" + String.join("|", names) + ")\\b");
    assertThat(comparisons().stream().filter(text -> named.matcher(text).find()))
        .as("tables and GPU tests that name one of %s", names)
        .isNotEmpty();
  }

  /** The methods that say whether the kernel serves some tensors. */
  private static List<JavaMethod> questions(JavaClass kernel) {
    return kernel.getMethods().stream()
        .filter(method -> method.getRawReturnType().getName().equals("boolean"))
        .filter(
            method ->
                method.getMethodCallsFromSelf().stream()
                    .anyMatch(
                        call ->
                            call.getTargetOwner().getName().equals(FAMILY)
                                && call.getTarget().getName().equals("serve")))
        .toList();
  }

  /** The classes outside of the package that call the kernel, without those that time it. */
  private static List<JavaClass> users(JavaClass kernel) {
    return CLASSES.stream()
        .filter(type -> !type.getPackageName().equals(PACKAGE))
        .filter(type -> !type.getPackageName().startsWith("dev.duoka.measure"))
        .filter(
            type ->
                type.getMethodCallsFromSelf().stream()
                    .anyMatch(call -> call.getTargetOwner().equals(kernel)))
        .toList();
  }

  /** The texts of tests that run on a GPU, and of the tables that they go through. */
  private static List<String> comparisons() {
    return Stream.of("tensor", "engine", "model", "parallel")
        .flatMap(module -> sources(Repository.root().resolve(module).resolve("src/test/java")))
        .filter(file -> !file.toString().endsWith("package-info.java"))
        .map(
            file ->
                file.toString().endsWith("Table.java")
                        || Repository.read(file).contains("@Tag(\"cuda\")")
                    ? Repository.read(file)
                    : "")
        .filter(text -> !text.isEmpty())
        .toList();
  }

  private static Stream<Path> sources(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> file.toString().endsWith(".java")).toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
