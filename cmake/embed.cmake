# embed_files(TARGET DIR PATTERN): makes the files of DIR that match PATTERN part of TARGET, as
# TARGET/embedded.h shows them.
function(embed_files target dir pattern)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/${dir}
       ${CMAKE_SOURCE_DIR}/${dir}/${pattern})
  list(SORT files)
  set(source ${CMAKE_BINARY_DIR}/embedded_${target}.cc)
  set(content "#include \"${target}/embedded.h\"\n\nnamespace seatrial::${target} {\n\n")
  string(APPEND content "std::span<const EmbeddedFile> embedded_files() {\n")
  string(APPEND content "  static constexpr EmbeddedFile kFiles[] = {\n")
  foreach(file ${files})
    file(READ ${CMAKE_SOURCE_DIR}/${dir}/${file} text)
    string(APPEND content "{\"${file}\", R\"_file_(${text})_file_\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
                 ${CMAKE_SOURCE_DIR}/${dir}/${file})
  endforeach()
  string(APPEND content "  };\n  return kFiles;\n}\n\n}  // namespace seatrial::${target}\n")
  file(CONFIGURE OUTPUT ${source} CONTENT "@content@" @ONLY)
  target_sources(seatrial_${target} PRIVATE ${source})
endfunction()
