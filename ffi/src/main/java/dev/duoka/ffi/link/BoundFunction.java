package dev.duoka.ffi.link;

import java.lang.foreign.FunctionDescriptor;

/**
 * A C function as this module believes it to be declared; the audit compares it with the prototype.
 *
 * @param library the library's name as errors print it
 * @param name the C symbol
 * @param type the types that calls pass and receive
 */
public record BoundFunction(String library, String name, FunctionDescriptor type) {}
