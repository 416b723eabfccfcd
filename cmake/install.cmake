# install_layers(NAME...): `cmake --install` makes a package of these layers: headers under
# include/seatrial (so that "sim/world.h" stays "sim/world.h"), static libraries, and the files that
# find_package(seatrial) reads. A layer here may use no other than those listed.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

function(install_layers)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/seatrial)
  foreach(name ${ARGN})
    set_target_properties(seatrial_${name} PROPERTIES EXPORT_NAME ${name})
    install(TARGETS seatrial_${name} EXPORT seatrial
            ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
    get_target_property(dir seatrial_${name} SEATRIAL_DIR)
    install(DIRECTORY ${dir}/
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/seatrial/${name} COMPONENT library
            FILES_MATCHING PATTERN "*.h")
  endforeach()
  install(EXPORT seatrial NAMESPACE seatrial:: FILE seatrialTargets.cmake
          DESTINATION ${package_dir} COMPONENT library)
  configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/seatrialConfig.cmake.in
    ${CMAKE_BINARY_DIR}/seatrialConfig.cmake INSTALL_DESTINATION ${package_dir})
  write_basic_package_version_file(${CMAKE_BINARY_DIR}/seatrialConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_BINARY_DIR}/seatrialConfig.cmake
                ${CMAKE_BINARY_DIR}/seatrialConfigVersion.cmake
                ${CMAKE_SOURCE_DIR}/cmake/FindIsal.cmake
          DESTINATION ${package_dir} COMPONENT library)
endfunction()
