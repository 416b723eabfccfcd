# layer(NAME DIR USES ...): one folder, one static library, one include prefix.
#
# The headers of DIR are reachable as "NAME/..." through a view folder that only the targets
# which list NAME in their USES (or see it through them) have on their include path. An arrow
# that is not in USES therefore does not compile.
#
# Options:
#   USES      other layers whose headers this one may include (public: they travel with ours)
#   LIBS      third-party targets that our headers expose
#   PRIVATE   third-party targets for our sources only
#   EXCLUDE   regular expression of source paths that belong to another target
function(layer name dir)
  cmake_parse_arguments(ARG "" "EXCLUDE" "USES;LIBS;PRIVATE" ${ARGN})
  set(source_dir ${CMAKE_SOURCE_DIR}/${dir})
  set(view_dir ${CMAKE_BINARY_DIR}/view/${name})
  file(MAKE_DIRECTORY ${view_dir})
  file(CREATE_LINK ${source_dir} ${view_dir}/${name} SYMBOLIC)

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${source_dir}/*.cc)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${source_dir}/*.h)
  if(ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${ARG_EXCLUDE}")
    list(FILTER headers EXCLUDE REGEX "${ARG_EXCLUDE}")
  endif()
  if(NOT sources)
    set(sources ${CMAKE_SOURCE_DIR}/cmake/empty.cc)
  endif()

  add_library(seatrial_${name} STATIC ${sources})
  add_library(seatrial::${name} ALIAS seatrial_${name})
  # Outside, in the installed package, the headers of all layers lie in one folder.
  target_include_directories(seatrial_${name} PUBLIC
    $<BUILD_INTERFACE:${view_dir}> $<INSTALL_INTERFACE:include/seatrial>)
  target_compile_features(seatrial_${name} PUBLIC cxx_std_23)
  foreach(used ${ARG_USES})
    target_link_libraries(seatrial_${name} PUBLIC seatrial_${used})
  endforeach()
  target_link_libraries(seatrial_${name} PUBLIC ${ARG_LIBS} PRIVATE ${ARG_PRIVATE}
                                         $<BUILD_INTERFACE:seatrial_warnings>)
  set_target_properties(seatrial_${name} PROPERTIES SEATRIAL_DIR ${source_dir})
  set_property(GLOBAL APPEND PROPERTY SEATRIAL_LAYERS ${name})
  check_headers(${name} ${headers})
  check_links_alone(${name})
endfunction()

# Every header compiles alone: one generated translation unit each, in an object library that
# the `check_headers` target builds.
function(check_headers name)
  set(units)
  foreach(header ${ARGN})
    file(RELATIVE_PATH relative ${CMAKE_SOURCE_DIR} ${header})
    string(REPLACE "/" "_" unit ${relative})
    set(unit ${CMAKE_BINARY_DIR}/check_headers/${unit}.cc)
    file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"${header}\"\n")
    list(APPEND units ${unit})
  endforeach()
  if(units)
    add_library(check_headers_${name} OBJECT EXCLUDE_FROM_ALL ${units})
    target_link_libraries(check_headers_${name} PRIVATE seatrial_${name} seatrial_warnings)
    add_dependencies(check_headers check_headers_${name})
  endif()
endfunction()

# A layer needs nothing above it: all its objects, linked whole with only what it USES, leave
# no symbol undefined.
function(check_links_alone name)
  add_executable(link_${name} EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/cmake/link_main.cc)
  target_link_libraries(link_${name} PRIVATE
    -Wl,--whole-archive seatrial_${name} -Wl,--no-whole-archive)
  add_dependencies(check_links link_${name})
endfunction()
