/** The environment variables of this process, as native libraries read them. */
package dev.duoka.ffi.environment;
