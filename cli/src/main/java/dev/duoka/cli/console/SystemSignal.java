package dev.duoka.cli.console;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Optional;

/**
 * A signal of the operating system, by {@code sun.misc.Signal} of the module jdk.unsupported: the
 * one way in Java to hear a second Ctrl-C. It is called by reflection because javac warns of that
 * class by a warning that nothing turns off.
 */
final class SystemSignal {
  private static final String SIGNAL = "sun.misc.Signal";
  private static final String HANDLER = "sun.misc.SignalHandler";

  private final Object signal;
  private final Object before;

  private SystemSignal(Object signal, Object before) {
    this.signal = signal;
    this.before = before;
  }

  /**
   * Lets {@code heard} run, on a thread of its own, whenever the signal comes.
   *
   * @param name without {@code SIG}
   * @return empty if the JVM leaves the signal to the system ({@code -Xrs})
   */
  static Optional<SystemSignal> handle(String name, Runnable heard) {
    try {
      Class<?> type = Class.forName(SIGNAL);
      Class<?> handlerType = Class.forName(HANDLER);
      Object signal = type.getConstructor(String.class).newInstance(name);
      Object handler =
          Proxy.newProxyInstance(
              SystemSignal.class.getClassLoader(),
              new Class<?>[] {handlerType},
              (proxy, method, arguments) -> answer(proxy, method, arguments, heard));
      Object before = type.getMethod("handle", type, handlerType).invoke(null, signal, handler);
      return Optional.of(new SystemSignal(signal, before));
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof IllegalArgumentException) {
        return Optional.empty();
      }
      throw new IllegalStateException(SIGNAL + " failed", e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("this Java runtime has no " + SIGNAL, e);
    }
  }

  @SuppressWarnings("ReferenceEquality") // a proxy is equal to itself alone
  private static Object answer(Object proxy, Method method, Object[] arguments, Runnable heard) {
    return switch (method.getName()) {
      case "equals" -> proxy == arguments[0];
      case "hashCode" -> System.identityHashCode(proxy);
      case "toString" -> "handler of duoka";
      default -> {
        heard.run();
        yield 0; // ignored: the method returns nothing
      }
    };
  }

  /** Gives the signal back to whoever had it. */
  void restore() {
    try {
      Class<?> type = Class.forName(SIGNAL);
      type.getMethod("handle", type, Class.forName(HANDLER)).invoke(null, signal, before);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot give back " + signal, e);
    }
  }
}
