/**
 * What native libraries of this process say of themselves, {@link
 * dev.duoka.ffi.environment.LibraryVersions} and {@link dev.duoka.ffi.environment.OperatorThreads},
 * and the environment variables that they read, {@link
 * dev.duoka.ffi.environment.ProcessEnvironment}.
 */
package dev.duoka.ffi.environment;
