package dev.duoka.train.config;

import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The variables of a run file that native libraries read when they are loaded. */
public final class EnvironmentVariables {
  private static final Pattern READ_BY_LIBRARIES =
      Pattern.compile(
          "(NCCL|CUDA|CUBLAS|CUBLASLT|CUDNN|NVIDIA|TORCH|PYTORCH|OMP|GOMP|KMP|MKL|OPENBLAS)"
              + "_[A-Z0-9_]+");

  private EnvironmentVariables() {}

  /** The names and values as the libraries see them. */
  public static SortedMap<String, String> of(RunConfig config) {
    SortedMap<String, String> variables = new TreeMap<>();
    config.environment().forEach((name, value) -> variables.put(name, String.valueOf(value)));
    return variables;
  }

  /** What is wrong with a variable; empty where nothing is. */
  static Optional<FieldProblem> problem(String name, @Nullable Object value) {
    String field = "environment." + name;
    if (!READ_BY_LIBRARIES.matcher(name).matches()) {
      return Optional.of(
          new FieldProblem(
              field,
              field + " is none of the variables that native libraries read while they start",
              "Names begin with NCCL_, CUDA_, CUBLAS_, CUDNN_, TORCH_, PYTORCH_, OMP_, MKL_ or"
                  + " the like; set others in the shell."));
    }
    return switch (value) {
      case String text when text.indexOf(0) < 0 -> Optional.empty();
      case Integer _, Long _ -> Optional.empty();
      case null, default ->
          Optional.of(
              new FieldProblem(
                  field,
                  field + " wants a text or a whole number, got " + value,
                  "Put the value into quotes, as the library reads it: \"1\"."));
    };
  }
}
